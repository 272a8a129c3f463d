// Draw the figures of a table beside it. The table stays the source and the text alternative.
(() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const read = (table) => [...table.tBodies[0].rows].map((row) => {
    const cell = row.querySelector("[data-value]");
    return { name: row.cells[0].textContent.trim(), value: Number(cell.dataset.value), said: cell.textContent.trim() };
  });
  const option = (kind, rows) => {
    const names = { type: "category", data: rows.map((row) => row.name), inverse: kind === "bars",
      axisLine: { lineStyle: { color: colour("--line") } }, axisTick: { show: false },
      axisLabel: { color: colour("--dim"), hideOverlap: true, formatter: (name) => name.replace(/ \d{4}$/, ""), interval: kind === "bars" ? 0 : "auto" } };
    const values = { type: "value", axisLabel: { show: false }, splitLine: { lineStyle: { color: colour("--line") } }, splitNumber: 3 };
    const style = { color: colour("--accent"), borderRadius: kind === "bars" ? [0, 3, 3, 0] : [3, 3, 0, 0] };
    return {
      animation: false,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      grid: { left: 8, right: 20, top: 8, bottom: 4, containLabel: true },
      tooltip: { trigger: "axis", confine: true, axisPointer: { type: "shadow" }, backgroundColor: colour("--raised"),
        borderColor: colour("--line"), textStyle: { color: colour("--ink"), fontSize: 13 },
        formatter: ([at]) => `${at.name}<br><b>${rows[at.dataIndex].said}</b>` },
      xAxis: kind === "bars" ? values : names,
      yAxis: kind === "bars" ? names : values,
      series: [{ type: "bar", data: rows.map((row) => row.value), itemStyle: style, barMaxWidth: kind === "bars" ? 18 : 22 }],
    };
  };
  const draw = (place) => {
    const table = document.getElementById(place.dataset.source);
    const chart = echarts.getInstanceByDom(place) || echarts.init(place, null, { renderer: "svg" });
    chart.setOption(option(place.dataset.chart, read(table)), true);
  };
  const all = () => [...document.querySelectorAll("[data-chart]")];
  all().forEach(draw);
  document.addEventListener("recobra:theme", () => all().forEach(draw));
  addEventListener("resize", () => all().forEach((place) => echarts.getInstanceByDom(place)?.resize()));
})();
