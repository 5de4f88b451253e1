// Escape puts away the explanation of a term until pointer and focus come back to it.

addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const term of document.querySelectorAll(".term:is(:hover, :focus-within)")) {
    const back = () => term.classList.remove("away");
    term.classList.add("away");
    term.addEventListener("pointerenter", back, { once: true });
    term.addEventListener("focusin", back, { once: true });
  }
});
