// Small repairs to what the theme's markup says to those who do not see it.

// What these are called is written on them.
for (const box of document.querySelectorAll(".search-button-field, details.hide > summary")) {
  box.removeAttribute("aria-label");
}

// What scrolls sideways on a narrow screen can be scrolled by keyboard too. (The theme sees to code and tables.)
(() => {
  const scrollers = ".bd-article div.math, .bd-article p, .bd-article summary";

  function mark() {
    for (const box of document.querySelectorAll(scrollers)) {
      if (box.scrollWidth > box.clientWidth && getComputedStyle(box).overflowX === "auto") {
        box.tabIndex = 0;
      } else {
        box.removeAttribute("tabindex");
      }
    }
  }

  const typeset = window.MathJax?.startup?.promise ?? Promise.resolve();
  typeset.then(() => {
    mark();
    window.addEventListener("resize", mark);
  });
})();
