// Shows a password while its button is pressed, and lets the keyboard reach a password that the browser filled.
{
  for (const button of document.querySelectorAll("[data-show]")) {
    const input = document.getElementById(button.dataset.show);
    button.hidden = false;
    const toggle = (shown) => {
      if ((input.type === "text") === shown) return;
      input.type = shown ? "text" : "password";
      [button.textContent, button.dataset.other] = [button.dataset.other, button.textContent];
    };
    button.addEventListener("click", () => { toggle(input.type === "password"); input.focus(); });
    // Password managers store what is in a password field, so it is one again when sent.
    input.form?.addEventListener("submit", () => toggle(false));
  }
  const filled = document.querySelector(".filled input");
  if (filled) {
    const reveal = () => filled.removeAttribute("tabindex");
    filled.addEventListener("input", reveal);
    filled.addEventListener("change", reveal);
  }
}
