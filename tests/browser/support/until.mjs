// Waiting on a condition, never for a time.

/** Asks `ask` again and again until it gives something, or fails with `what` after so many seconds. */
export async function until(what, ask, seconds = 15) {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const given = await ask();
    if (given) return given;
    if (performance.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise((next) => setTimeout(next, 20));
  }
}
