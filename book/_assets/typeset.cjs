// Typesets formulas: reads [[[tex, display], …], …] from the standard input, a list for each page, and writes
// [[[[drawing, …], outlines], …], style sheet] as JSON. The argument is the folder in which npm has put MathJax.
"use strict";

const { readFileSync } = require("fs");

const options = {
  loader: { load: ["adaptors/liteDOM", "input/tex-full", "output/svg", "a11y/assistive-mml"] },
  svg: { fontCache: "global" }, // the outline of a letter stands in a page once
  tex: { tags: "none" },
};

require(require.resolve("mathjax", { paths: [process.argv[2]] }))
  .init(options)
  .then(({ startup, tex2svg, svgStylesheet }) => {
    const { fontCache } = startup.document.outputJax;
    const pages = JSON.parse(readFileSync(0, "utf8")).map((formulas) => {
      fontCache.clearCache();
      const drawings = formulas.map(([tex, display]) => startup.adaptor.outerHTML(tex2svg(tex, { display })));
      const outlines = startup.adaptor.outerHTML(fontCache.getCache());
      return [drawings, `<svg aria-hidden="true" style="display: none">${outlines}</svg>`];
    });
    process.stdout.write(JSON.stringify([pages, startup.adaptor.textContent(svgStylesheet())]));
  });
