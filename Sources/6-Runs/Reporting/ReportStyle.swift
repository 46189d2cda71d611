/// The style sheet and the script of a report, which are part of each page.
enum ReportStyle {
  /// Light and dark, narrow and wide, on a screen and on paper.
  static let css = """

    :root{--text:#1c2430;--soft:#5b6675;--line:#d9dee6;--back:#f6f7f9;--card:#fff;--accent:#2563eb}
    @media (prefers-color-scheme:dark){:root{--text:#e6e9ee;--soft:#9aa5b4;--line:#333c49;
    --back:#12161c;--card:#1b212a;--accent:#7aa2ff}}
    *{box-sizing:border-box}
    body{margin:0;background:var(--back);color:var(--text);font:15px/1.45 system-ui,sans-serif}
    header,main{max-width:1240px;margin:0 auto;padding:0 16px}
    header{display:flex;flex-wrap:wrap;align-items:baseline;gap:4px 16px;padding-top:18px}
    h1{font-size:22px;margin:0;overflow-wrap:anywhere}h2{font-size:16px;margin:26px 0 10px}
    .when{color:var(--soft);margin:0}
    .summary{background:var(--card);border:1px solid var(--line);border-left:5px solid var(--soft);
    border-radius:8px;padding:12px 16px;margin-top:14px}
    .summary.running{border-left-color:var(--accent)}.summary.done{border-left-color:#16a34a}
    .summary.failed,.summary.lost{border-left-color:#dc2626}
    .summary.stopped{border-left-color:#d97706}.summary h2{margin:0 0 8px}
    dl{display:flex;flex-wrap:wrap;gap:10px 30px;margin:0}
    dt{color:var(--soft);font-size:12px}dd{margin:0;font-size:19px;font-weight:600}
    progress{width:100%;height:6px;margin-top:10px;accent-color:var(--accent)}
    .charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,380px),1fr));gap:14px}
    .grids{display:flex;flex-wrap:wrap;gap:14px}
    figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:8px;
    padding:10px 12px}
    figcaption{font-weight:600;margin-bottom:6px}
    .grid{max-width:100%}.grid img{display:block;max-width:100%;width:540px;image-rendering:auto}
    .grid img[hidden]{display:none}.grid input{width:100%;margin-top:8px}
    svg{display:block;width:100%;height:auto;overflow:visible;touch-action:pan-y}
    svg text{font:15px system-ui,sans-serif;fill:var(--soft)}
    text.y{text-anchor:end;dominant-baseline:middle}text.x{text-anchor:middle}
    .rule{stroke:var(--line);stroke-width:1}.axis{stroke:var(--soft);stroke-width:1}
    .line{fill:none;stroke:currentColor;stroke-width:1.8;stroke-linejoin:round}
    circle.line{fill:currentColor}.dashed{stroke-dasharray:5 4}
    .mark path{fill:var(--soft)}.mark line{stroke:var(--soft);stroke-dasharray:2 3}
    .mark.failure line{stroke:#dc2626}.mark.end line{stroke:#16a34a}
    .legend{list-style:none;display:flex;flex-wrap:wrap;gap:2px 14px;margin:4px 0 0;padding:0;
    font-size:12px}
    .legend li::before{content:"";display:inline-block;width:14px;height:3px;margin:0 6px 3px 0;
    background:currentColor}
    .c0{color:#2563eb}.c1{color:#d97706}.c2{color:#0f9d6b}.c3{color:#dc2626}
    .c4{color:#8b5cf6}.c5{color:#0891b2}.c6{color:#db2777}.c7{color:#65a30d}
    table{border-collapse:collapse;width:100%;font-size:13px}
    th,td{text-align:left;padding:4px 10px 4px 0;border-bottom:1px solid var(--line);
    vertical-align:top;overflow-wrap:anywhere}
    td:nth-child(1),td:nth-child(2){white-space:nowrap}
    tr.failed td{color:#dc2626}tr.warning td{color:#d97706}
    details{margin-top:14px}summary{cursor:pointer;font-weight:600}
    pre{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:12px;
    overflow:auto;font-size:12px}
    .tip{position:absolute;pointer-events:none;background:var(--text);color:var(--back);
    font-size:12px;border-radius:4px;padding:4px 8px;white-space:pre;z-index:2}
    @media (max-width:520px){dl{gap:8px 18px}dd{font-size:16px}}
    @media print{body{background:#fff;color:#000}.charts{grid-template-columns:1fr 1fr}
    figure,.summary{break-inside:avoid}input,.tip{display:none}}

    """

  /// Values under the pointer, the slider of the grids, and loading again while a run goes on.
  static let script = """

    document.querySelectorAll('.grid').forEach(function(grid, number){
      var slider = grid.querySelector('input'), images = grid.querySelectorAll('img');
      if (!slider) return;
      var key = 'diffit-grid-' + number;
      function show(){
        images.forEach(function(image, i){ image.hidden = i != slider.value; });
        grid.querySelector('output').textContent = images[slider.value].dataset.label;
      }
      try {
        var kept = sessionStorage.getItem(key);
        if (kept !== null && kept !== 'last' && +kept < images.length) slider.value = kept;
      } catch (e) {}
      slider.addEventListener('input', function(){
        show();
        try {
          sessionStorage.setItem(key, +slider.value == images.length - 1 ? 'last' : slider.value);
        } catch (e) {}
      });
      show();
    });
    var tip = document.createElement('div');
    tip.className = 'tip'; tip.hidden = true; document.body.appendChild(tip);
    document.querySelectorAll('.chart svg').forEach(function(svg){
      var lines = JSON.parse(svg.dataset.points), frame = JSON.parse(svg.dataset.frame);
      svg.addEventListener('pointermove', function(event){
        var box = svg.getBoundingClientRect();
        var at = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
        var x = frame[2] + (at - frame[0]) / (frame[1] - frame[0]) * (frame[3] - frame[2]);
        var near = null, text = '';
        lines.forEach(function(line){
          var best = line.points[0];
          line.points.forEach(function(p){
            if (Math.abs(p[0] - x) < Math.abs(best[0] - x)) best = p;
          });
          if (near === null || Math.abs(best[0] - x) < Math.abs(near - x)) near = best[0];
          text += '\\n' + (lines.length > 1 ? line.name + ': ' : '') + best[1];
        });
        if (near === null) return;
        tip.textContent = near.toLocaleString('en') + ' images' + text;
        tip.hidden = false;
        var left = event.pageX + 14;
        if (left + tip.offsetWidth > document.documentElement.scrollWidth - 8)
          left = event.pageX - tip.offsetWidth - 14;
        tip.style.left = Math.max(left, 4) + 'px';
        tip.style.top = (event.pageY + 14) + 'px';
      });
      svg.addEventListener('pointerleave', function(){ tip.hidden = true; });
    });
    if (document.body.classList.contains('running'))
      setTimeout(function(){ if (!document.hidden) location.reload();
        else document.addEventListener('visibilitychange', function(){ location.reload(); }); },
        20000);

    """
}
