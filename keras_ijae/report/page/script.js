// Draws the figures that stand as JSON in the page. Colours of text and lines are the style's, so that they follow it.
const touched = window.matchMedia("(pointer: coarse)").matches; // a finger scrolls the page, and zooms by the buttons
const options = {
  displaylogo: false,
  responsive: true,
  displayModeBar: true, // where there is a mouse, the style shows it on hovering
  modeBarButtons: [["zoomIn2d", "zoomOut2d", "resetScale2d", "toImage"]],
};
for (const place of document.querySelectorAll(".plot")) {
  const figure = JSON.parse(place.querySelector("script").textContent);
  place.replaceChildren();
  if (touched) figure.layout.dragmode = false;
  Plotly.newPlot(place, figure.data, figure.layout, options);
}
// Rows of tiles are whole: as many columns as fit and divide their number, unless that were far fewer than fit.
const wholeRows = () => {
  for (const tiles of document.querySelectorAll(".tiles.single, .tiles.pair")) {
    tiles.style.gridTemplateColumns = "";
    const count = tiles.children.length;
    const fit = Math.min(count, getComputedStyle(tiles).gridTemplateColumns.split(" ").length);
    let columns = fit;
    while (count % columns) columns--;
    if (2 * columns >= fit) tiles.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
  }
};
wholeRows();
addEventListener("resize", wholeRows);
addEventListener("beforeprint", () => {
  for (const hidden of document.querySelectorAll("details")) hidden.open = true;
});
