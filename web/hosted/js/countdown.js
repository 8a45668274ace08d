// Counts down until a code may be sent again; the server keeps the time, this only shows it.
{
  for (const shown of document.querySelectorAll("[data-countdown]")) {
    const end = performance.now() + 1000 * Number(shown.dataset.countdown);
    const time = shown.querySelector("b");
    const button = shown.parentElement.querySelector("button");
    button.disabled = true;
    const tick = () => {
      const left = Math.ceil((end - performance.now()) / 1000);
      if (left <= 0) {
        shown.remove();
        button.disabled = false;
        return;
      }
      time.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
      setTimeout(tick, 250);
    };
    tick();
  }
}
