// Leaves out of the theme's style sheets the rules that nothing in the site can match. The arguments are the folder in which
// npm has put PurgeCSS, and the site.
"use strict";

const { writeFileSync } = require("fs");
const { PurgeCSS } = require(require.resolve("purgecss", { paths: [process.argv[2]] }));

process.chdir(process.argv[3]);
new PurgeCSS()
  .purge({
    content: ["**/*.html", "_static/**/*.js"], // whatever a script can write stands in it
    css: ["_static/styles/*.css", "_static/mystnb*.css", "_static/basic.css"],
    safelist: { greedy: [/tooltip/] }, // except these, which Bootstrap puts together
  })
  .then((sheets) => sheets.forEach(({ file, css }) => writeFileSync(file, css)));
