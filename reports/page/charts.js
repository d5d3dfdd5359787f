/* The zoomable charts of a report. All data is in the page (#run-data); nothing is fetched.
   The strips are SVG already: zooming only moves their view boxes. */
(function () {
  "use strict";
  var GOOD = 0, SLOW = 1, FAILED = 2, HEIGHT = 260;
  var data = JSON.parse(document.getElementById("run-data").textContent);
  var strips = Array.prototype.slice.call(document.querySelectorAll("svg.strip"));
  var box = strips.length ? strips[0].viewBox.baseVal : null;
  var whole = box ? [box.x, box.x + box.width] : span(data.charts);
  var shown = whole.slice();
  var plots = [];
  var palette = {};

  function span(charts) {
    var low = Infinity, high = -Infinity;
    charts.forEach(function (one) {
      low = Math.min(low, one.x[0]);
      high = Math.max(high, one.x[one.x.length - 1]);
    });
    return [low, Math.max(high, low + 0.001)];
  }

  function readPalette() {
    var style = getComputedStyle(document.documentElement);
    ["text", "faint", "line", "good-mark", "slow-mark", "bad-mark", "unknown-mark", "deadline",
      "baseline-band", "fault-band", "return-band", "missed"].forEach(function (name) {
      palette[name] = style.getPropertyValue("--" + name).trim();
    });
  }

  function clamp(low, high) {
    var least = Math.min(0.05, whole[1] - whole[0]);
    var length = Math.min(Math.max(high - low, least), whole[1] - whole[0]);
    low = Math.min(Math.max(low, whole[0]), whole[1] - length);
    return [low, low + length];
  }

  /* Everything that shows time shows the same part of it. */
  function show(low, high) {
    shown = clamp(low, high);
    plots.forEach(function (plot) { plot.setScale("x", { min: shown[0], max: shown[1] }); });
    strips.forEach(function (strip) {
      strip.setAttribute("viewBox", shown[0] + " 0 " + (shown[1] - shown[0]) + " 10");
    });
    var told = document.querySelector(".shown");
    if (told) {
      told.textContent = "Shown: " + shown[0].toFixed(2) + " to " + shown[1].toFixed(2) + " s";
    }
  }

  function bands(plot) {
    var context = plot.ctx, area = plot.bbox;
    function fill(colour, start, end, top, height) {
      var left = Math.max(plot.valToPos(start, "x", true), area.left);
      var right = Math.min(plot.valToPos(end, "x", true), area.left + area.width);
      if (right > left) {
        context.fillStyle = colour;
        context.fillRect(left, top, Math.max(right - left, 1), height);
      }
    }
    context.save();
    data.phases.forEach(function (one) {
      fill(palette[one[0] + "-band"], one[1], one[2], area.top, area.height);
    });
    data.faults.forEach(function (one) {  /* for how long each fault was on: a bar at the top */
      fill(palette.missed, one[1], one[2], area.top, 4 * uPlot.pxRatio);
    });
    context.restore();
  }

  function mark(context, kind, x, y, r) {
    context.beginPath();
    if (kind === GOOD) {
      context.arc(x, y, r * 0.7, 0, 2 * Math.PI);
      context.fill();
    } else if (kind === SLOW) {
      context.moveTo(x, y - r * 1.4); context.lineTo(x + r * 1.4, y + r); context.lineTo(x - r * 1.4, y + r);
      context.fill();
    } else if (kind === FAILED) {
      context.moveTo(x - r, y - r); context.lineTo(x + r, y + r);
      context.moveTo(x + r, y - r); context.lineTo(x - r, y + r);
      context.stroke();
    } else {
      context.arc(x, y, r, 0, 2 * Math.PI);
      context.stroke();
    }
  }

  function points(chart) {
    var colours = ["good-mark", "slow-mark", "bad-mark", "unknown-mark"];
    return function (plot) {
      var context = plot.ctx, area = plot.bbox, r = 2.6 * uPlot.pxRatio;
      context.save();
      context.beginPath();
      context.rect(area.left, area.top, area.width, area.height);
      context.clip();
      context.lineWidth = 2 * uPlot.pxRatio;
      context.strokeStyle = palette.deadline;
      context.setLineDash([6 * uPlot.pxRatio, 4 * uPlot.pxRatio]);
      chart.deadlines.forEach(function (one) {
        var y = Math.round(plot.valToPos(one, "y", true));
        context.beginPath(); context.moveTo(area.left, y); context.lineTo(area.left + area.width, y); context.stroke();
      });
      context.setLineDash([]);
      [GOOD, 3, SLOW, FAILED].forEach(function (kind) {  /* the worst is drawn over the others */
        context.fillStyle = context.strokeStyle = palette[colours[kind]];
        for (var i = 0; i < chart.x.length; i++) {
          if (+chart.kind[i] === kind && chart.x[i] >= shown[0] && chart.x[i] <= shown[1]) {
            mark(context, kind, plot.valToPos(chart.x[i], "x", true), plot.valToPos(chart.y[i], "y", true), r);
          }
        }
      });
      context.restore();
    };
  }

  function readout(chart, element) {
    var words = ["good", "slow", "failed", "unknown"];
    return function (plot) {
      var i = plot.cursor.idx;
      element.textContent = i == null ? "" : "Due at " + chart.x[i].toFixed(3) + " s: " +
        words[+chart.kind[i]] + " after " + chart.y[i] + " ms";
    };
  }

  function milliseconds(plot, values) {
    return values.map(function (one) {
      if (one == null) { return ""; }
      return one >= 1000 ? one / 1000 + " s" : one + " ms";
    });
  }

  function axis(more) {
    var made = {
      stroke: function () { return palette.text; },
      grid: { stroke: function () { return palette.line; }, width: 1 },
      ticks: { stroke: function () { return palette.faint; }, width: 1 }
    };
    Object.keys(more).forEach(function (key) { made[key] = more[key]; });
    return made;
  }

  function build(element) {
    var chart = data.charts[+element.getAttribute("data-chart")];
    return new uPlot({
      width: Math.max(element.clientWidth, 200), height: HEIGHT,
      legend: { show: false },
      cursor: {
        drag: { x: true, y: false, setScale: false },
        points: { show: false },
        bind: { dblclick: function () { return function () { show(whole[0], whole[1]); }; } }
      },
      scales: {
        x: { time: false, range: function (_, low, high) { return low == null ? whole : [low, high]; } },
        y: { distr: 3, range: function () { return [chart.low, chart.high]; } }
      },
      axes: [axis({ label: "seconds since the run began" }), axis({ size: 70, values: milliseconds })],
      series: [{}, { show: true, paths: function () { return null; }, points: { show: false } }],
      hooks: {
        drawClear: [bands],
        draw: [points(chart)],
        setCursor: [readout(chart, element.nextElementSibling)],
        setSelect: [dragged]
      }
    }, [chart.x, chart.y], element);
  }

  function dragged(plot) {
    var left = plot.select.left, width = plot.select.width;
    if (width > 2) {
      plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
      show(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
    }
  }

  function redraw() {
    readPalette();
    plots.forEach(function (plot) { plot.redraw(false, true); });
  }

  function fit() {
    Array.prototype.forEach.call(document.querySelectorAll(".chart"), function (element, i) {
      var width = Math.max(element.clientWidth, 200);
      if (plots[i] && plots[i].width !== width) { plots[i].setSize({ width: width, height: HEIGHT }); }
    });
  }

  function zoom(button) {
    var length = shown[1] - shown[0], middle = (shown[0] + shown[1]) / 2;
    switch (button.getAttribute("data-zoom")) {
      case "in": return show(middle - length / 4, middle + length / 4);
      case "out": return show(middle - length, middle + length);
      case "earlier": return show(shown[0] - length / 2, shown[1] - length / 2);
      case "later": return show(shown[0] + length / 2, shown[1] + length / 2);
      case "phase":
        var phase = data.phases[+button.getAttribute("data-phase")];
        return show(phase[1] - 0.5, phase[2] + 0.5);
      default: return show(whole[0], whole[1]);
    }
  }

  /* Paper is white, whatever the screen is; and what is folded away cannot be unfolded there. */
  function paper(on) {
    if (on) { document.documentElement.setAttribute("data-paper", ""); }
    else { document.documentElement.removeAttribute("data-paper"); }
    Array.prototype.forEach.call(document.querySelectorAll("details"), function (one) {
      if (on && !one.open) { one.open = true; one.setAttribute("data-folded", ""); }
      else if (!on && one.hasAttribute("data-folded")) { one.open = false; one.removeAttribute("data-folded"); }
    });
    fit();
    redraw();
  }

  readPalette();
  plots = Array.prototype.map.call(document.querySelectorAll(".chart"), build);
  show(whole[0], whole[1]);
  var tools = document.querySelector(".tools");
  if (tools) {
    tools.hidden = false;
    document.getElementById("no-scripts").hidden = true;
    tools.addEventListener("click", function (event) {
      var button = event.target.closest("button");
      if (button) { zoom(button); }
    });
  }
  new ResizeObserver(fit).observe(document.body);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  window.matchMedia("print").addEventListener("change", function (event) { paper(event.matches); });
  window.addEventListener("beforeprint", function () { paper(true); });
  window.addEventListener("afterprint", function () { paper(false); });
})();
