'use strict';
// Scrolling parts are stops of the keyboard only where there is something to scroll.
for (const box of document.querySelectorAll('.scroll')) {
  const set = () => box.scrollWidth > box.clientWidth + 1
    ? box.setAttribute('tabindex', '0') : box.removeAttribute('tabindex');
  new ResizeObserver(set).observe(box);
}
addEventListener('beforeprint', () => document.querySelectorAll('details:not(.bulk)')
  .forEach(one => { if (!one.open) { one.open = true; one.dataset.shut = ''; } }));
addEventListener('afterprint', () => document.querySelectorAll('details[data-shut]')
  .forEach(one => { one.open = false; delete one.dataset.shut; }));

(() => {
  const place = document.getElementById('explorer'), told = document.getElementById('told-data');
  if (!place || !told) return;
  const D = JSON.parse(told.textContent);
  const bins = D.sent.length;
  if (!bins) return;
  document.documentElement.classList.add('scripted');

  // Elements, by name and attributes. Text is only ever set as text.
  const NS = 'http://www.w3.org/2000/svg';
  const put = (node, attributes, children) => {
    for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
    for (const child of [].concat(children ?? [])) node.append(child);
    return node;
  };
  const el = (name, attributes, children) => put(document.createElement(name), attributes, children);
  const svg = (name, attributes, children) =>
    put(document.createElementNS(NS, name), attributes, children);

  // Numbers in words.
  const number = value => value == null ? '–'
    : value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 1 : 0 });
  const latency = ms => ms == null ? '–' : ms >= 1000 ? `${+(ms / 1000).toPrecision(3)} s`
    : ms >= 1 ? `${+ms.toPrecision(3)} ms` : `${+(ms * 1000).toPrecision(3)} µs`;
  const percent = value => value == null ? '–' : `${Math.round(value)} %`;
  const clock = seconds => {
    const s = Math.round(seconds * 10) / 10, h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
    const rest = +(s % 60).toFixed(1);
    const two = value => (value < 10 ? '0' : '') + value;
    return h ? `${h}:${two(m)}:${two(rest)}` : `${m}:${two(rest)}`;
  };

  // What is shown: a stretch of time, a moment in it, and all or some of the replicas.
  const first = (D.moments.find(one => one.kind === 'fault') || {}).at;
  const view = { from: 0, to: D.end, at: first ?? D.moments[0]?.at ?? Math.min(D.warmUp, D.end), pick: 'all' };
  const stretch = Math.min(D.end, D.step * 5);
  // It begins where something happens, if that is a small part of the run.
  if (D.moments.length) {
    const [start, end] = [D.moments[0].at, D.moments.at(-1).at];
    const around = Math.max((end - start) * .6, stretch, Math.min(30, D.end / 20));
    if (end - start + 2 * around < .6 * D.end)
      [view.from, view.to] = [Math.max(0, start - around), Math.min(D.end, end + 2 * around)];
  }

  const range = count => [...Array(count).keys()];
  const lanesOf = pick => pick === 'all' ? D.lanes
    : D.lanes.filter((lane, index) => pick === `r${index}` || pick === `z${lane.zone}`);

  // A series of the picked replicas, as points in time; `mean` or the sum of several.
  const picked = (name, mean) => {
    const lanes = lanesOf(view.pick).filter(lane => lane[name]);
    if (!lanes.length) return [];
    const step = lanes[0].step, sums = new Map();
    for (const lane of lanes) lane[name].forEach((value, index) => {
      const bin = Math.round(lane.first / step) + index, sum = sums.get(bin) || [0, 0];
      sums.set(bin, [sum[0] + value, sum[1] + 1]);
    });
    return range(Math.ceil(D.end / step - 1e-9)).map(bin => {
      const sum = sums.get(bin);
      return [bin * step, sum ? sum[0] / (mean ? sum[1] : 1) : null];
    });
  };
  const whole = name => D[name].map((value, bin) => [bin * D.step, value]);
  const series = (name, mean) => view.pick === 'all' ? whole(name) : picked(name, mean);
  const width = points => points.length > 1 ? points[1][0] - points[0][0] : D.step;

  // What a dashboard shows of the picked replicas: the mean of the last full minute.
  const monitored = cpu => {
    const step = width(cpu), per = Math.max(1, Math.round(60 / step)), means = [];
    for (let bucket = 0; bucket * per < cpu.length; bucket += 1) {
      const known = cpu.slice(bucket * per, (bucket + 1) * per).map(point => point[1])
        .filter(value => value != null);
      means.push(known.length ? known.reduce((a, b) => a + b) / known.length : null);
    }
    return means.map((_, bucket) => [bucket * per * step, bucket ? means[bucket - 1] : null]);
  };

  // The value of points or steps at a moment.
  const valueAt = (points, at) => {
    let low = 0, high = points.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (points[middle][0] <= at + 1e-6) low = middle + 1; else high = middle;
    }
    return low ? points[low - 1][1] : null;
  };

  // Scales of values.
  const ceiling = most => {
    const power = 10 ** Math.floor(Math.log10(most || 1));
    return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map(one => one * power).find(one => one >= most);
  };
  const linear = (most, words) => {
    const high = ceiling(Math.max(most, 1e-9));
    return { place: value => value / high, ticks: [0, high / 2, high].map(v => [v, words(v)]) };
  };
  const logarithmic = values => {
    const known = values.filter(value => value > 0);
    const low = Math.floor(Math.log10(Math.min(...known, 1e9)));
    const high = Math.max(Math.ceil(Math.log10(Math.max(...known, 1e-9)) - 1e-9), low + 1);
    const ticks = range(high - low + 1).map(index => 10 ** (low + index));
    return { place: value => (Math.log10(Math.max(value, 1e-9)) - low) / (high - low),
      ticks: ticks.map(value => [value, latency(value)]) };
  };

  // The panels of the picture, from what is picked.
  const reach = points => Math.max(0, ...points.map(point => point[1] || 0));
  const panels = () => {
    const all = view.pick === 'all', of = all ? '' : `, ${name(view.pick)}`;
    const sent = series('sent'), served = series('served'), cpu = series('cpu', true);
    const seen = all ? D.monitored || [] : monitored(cpu);
    const capacity = all ? D.capacity || [] : [];
    const load = Math.max(reach(sent), reach(served), all && D.bands ? Math.max(...D.bands.served[1]) : 0);
    const top = Math.max(load, Math.min(reach(capacity), 3 * load));
    const failures = [['failed', whole('failed')], ['rejected', whole('rejected')]]
      .filter(([, points]) => reach(points) > 0);
    const p50 = whole('p50'), p99 = whole('p99');
    const goals = D.goals.map(goal => goal.bound);
    const times = [...D.p50, ...D.p99, ...goals];
    const list = [
      { name: `Requests per second${of}`, height: 84, scale: linear(top, number), top,
        steps: [['capacity', 'ready capacity', capacity]],
        band: all && D.bands && ['served', D.bands.served],
        lines: [['offered', all ? 'sent' : 'reached it', sent], ['served', 'served', served]] },
      { name: 'Failed requests per second, of all', height: 44, bars: failures,
        scale: linear(Math.max(1, ...failures.map(([, points]) => reach(points))), number) },
      { name: 'Latency of the served (log scale), of all', height: 96, goals: D.goals,
        scale: logarithmic(times), band: D.bands && ['p99', D.bands.p99],
        lines: [['p50', 'p50', p50], ['p99', 'p99', p99]] },
      { name: `CPU in use${of}`, height: 54, area: ['cpu', cpu],
        scale: { place: value => value / 100, ticks: [0, 50, 100].map(v => [v, percent(v)]) },
        lines: [['cpu', 'true', cpu]], steps: [['monitored', 'as monitored', seen]] },
    ];
    return list.filter(panel => !panel.bars || panel.bars.length);
  };
  const name = pick => pick === 'all' ? 'the gateway' : pick[0] === 'z'
    ? `zone ${D.zones[pick.slice(1)]}` : D.lanes[pick.slice(1)].name;

  // Drawing.
  const LEFT = 62, RIGHT = 8, LANE = 17, COLOURS = ['ready', 'slow', 'joining', 'starting', 'broken',
    'unready', 'back-off'];
  const colour = role => `var(--${role})`;
  let inner = 600;
  const across = time => LEFT + (time - view.from) / (view.to - view.from) * inner;
  const timeAt = x => view.from + (x - LEFT) / inner * (view.to - view.from);

  const visible = points => {
    const step = width(points);
    return points.filter(point => point[0] + step >= view.from && point[0] <= view.to);
  };
  const path = (points, down, shift) => {
    let open = false, out = '';
    for (const [time, value] of points) {
      if (value == null) { open = false; continue; }
      out += `${open ? 'L' : 'M'}${across(time + shift).toFixed(1)} ${down(value).toFixed(1)}`;
      open = true;
    }
    return out;
  };
  const stairs = (points, down) => {
    let out = '';
    points.forEach(([time, value], index) => {
      if (value == null) return;
      const until = Math.min(index + 1 < points.length ? points[index + 1][0] : D.end, view.to);
      const from = Math.max(time, view.from);
      if (until <= from) return;
      const y = down(value).toFixed(1);
      const joined = out && index && points[index - 1][1] != null && time >= view.from;
      out += `${joined ? 'L' : 'M'}${across(from).toFixed(1)} ${y}H${across(until).toFixed(1)}`;
    });
    return out;
  };

  // What the marks of a panel mean; below its name where both do not fit beside each other.
  const keys = panel => [...(panel.lines || []).map(([role, words]) => [role, words]),
    ...(panel.steps || []).filter(([, , points]) => points.length).map(([role, words]) => [role, words]),
    ...(panel.bars || []).map(([role]) => [role, role])];
  const isNarrow = panel => inner < panel.name.length * 6.9
    + keys(panel).reduce((sum, [, words]) => sum + 26 + words.length * 6.1, 0);

  const drawPanel = (group, panel, y) => {
    const bottom = y + panel.height;
    const down = value => bottom - Math.min(1.02, Math.max(0, panel.scale.place(value))) * panel.height;
    const line = (d, role, thick, more) => group.append(svg('path', { d, fill: 'none',
      stroke: colour(role), 'stroke-width': thick, 'stroke-linejoin': 'round', ...more }));
    for (const [value, words] of panel.scale.ticks) {
      const at = down(value);
      group.append(svg('path', { d: `M${LEFT} ${at}h${inner}`, stroke: colour('grid') }));
      group.append(svg('text', { x: LEFT - 6, y: at + 4, 'text-anchor': 'end' }, words));
    }
    if (panel.area) {
      const [role, points] = panel.area, shown = visible(points), half = width(points) / 2;
      let run = [];
      const close = () => {
        if (run.length > 1) group.append(svg('path', { fill: colour(role), opacity: .2,
          d: `${path(run, down, half)}L${across(run.at(-1)[0] + half)} ${bottom}H${across(run[0][0] + half)}Z` }));
        run = [];
      };
      for (const point of shown) if (point[1] == null) close(); else run.push(point);
      close();
    }
    if (panel.band) {
      const [role, [low, high]] = panel.band, half = D.step / 2;
      const ends = visible(low.map((value, bin) => [bin * D.step, value, high[bin]]))
        .filter(point => point[1] != null);
      if (ends.length > 1) group.append(svg('path', { fill: colour(role), opacity: .18,
        d: `${path(ends.map(end => [end[0], end[2]]), down, half)}${path(ends.reverse(), down, half)
          .replace('M', 'L')}Z` }));
    }
    for (const [role, points] of panel.bars || []) {
      const step = width(points), wide = Math.max(1, step / (view.to - view.from) * inner - .5);
      let d = '';
      for (const [time, value] of visible(points)) if (value > 0) {
        const tall = Math.max(1.5, bottom - down(value));
        d += `M${across(time).toFixed(1)} ${bottom}v${(-tall).toFixed(1)}h${wide.toFixed(1)}v${tall.toFixed(1)}z`;
      }
      group.append(svg('path', { d, fill: colour(role) }));
    }
    for (const goal of panel.goals || []) {
      const from = Math.max(goal.from, view.from), to = Math.min(goal.to, view.to);
      if (from >= to) continue;
      const at = down(goal.bound);
      line(`M${across(from)} ${at}H${across(to)}`, 'ink', 1.2, { 'stroke-dasharray': '5 4' });
      group.append(svg('text', { class: 'key', x: across(to) - 2, y: at - 4, 'text-anchor': 'end' },
        goal.text));
    }
    for (const [role, , points] of panel.steps || []) line(stairs(points, down), role, 1.6);
    for (const [role, , points] of panel.lines || [])
      line(path(visible(points), down, width(points) / 2), role, 1.5);
    const label = svg('text', { x: LEFT, y: y - 7 - (isNarrow(panel) ? 14 : 0) },
      [svg('tspan', { class: 'name' }, panel.name)]);
    keys(panel).forEach(([role, words], index) => {
      const place = index || !isNarrow(panel) ? { dx: 12 } : { x: LEFT, dy: 14 };
      label.append(svg('tspan', { ...place, style: `fill:${colour(role)};font-weight:600` }, '■ '), words);
    });
    group.append(label);
  };

  const drawLanes = (group, y) => {
    group.append(svg('text', { class: 'name', x: LEFT, y: y - 7 }, 'Replicas'));
    D.lanes.forEach((lane, index) => {
      const top = y + index * LANE, on = lanesOf(view.pick).includes(lane);
      const row = svg('g', { class: `lane${on && view.pick !== 'all' ? ' picked' : ''}`,
        opacity: on ? 1 : .35, 'data-pick': `r${index}` });
      row.append(svg('rect', { x: 0, y: top, width: LEFT + inner, height: LANE, fill: 'transparent' }));
      row.append(svg('text', { x: LEFT - 6, y: top + 12.5, 'text-anchor': 'end' },
        lane.name.length > 9 ? `…${lane.name.slice(-8)}` : lane.name));
      for (let at = 0; at < lane.spans.length; at += 3) {
        const [from, to, condition] = lane.spans.slice(at, at + 3);
        if (to < view.from || from > view.to) continue;
        const x = across(Math.max(from, view.from)), end = across(Math.min(to, view.to));
        row.append(svg('rect', { x, y: top + 2, width: Math.max(1.5, end - x), height: LANE - 4,
          fill: colour(COLOURS[condition]) }));
      }
      group.append(row);
    });
  };

  const drawTime = (group, y) => {
    const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];
    const span = view.to - view.from, most = Math.max(2, inner / 74);
    const step = steps.find(one => span / one <= most) || 864000;
    for (let time = Math.ceil(view.from / step) * step; time <= view.to + 1e-9; time += step) {
      const x = across(time);
      group.append(svg('path', { d: `M${x} ${y}v5`, stroke: colour('axis') }));
      group.append(svg('text', { x, y: y + 17, 'text-anchor': x > LEFT + inner - 14 ? 'end' : 'middle' },
        clock(time)));
    }
    group.append(svg('path', { d: `M${LEFT} ${y}h${inner}`, stroke: colour('axis') }));
  };

  // Where the names of moments stand: in lanes above the panels, none over another.
  const placed = shown => {
    const free = [];
    return shown.map(one => {
      const x = across(one.at), wide = one.text.length * 6.2 + 10, end = x + wide > LEFT + inner;
      const from = end ? x - wide : x;
      let lane = free.findIndex(until => until <= from);
      if (lane < 0 && free.length < 5) lane = free.length;
      if (lane < 0 || from < 0) return { lane: -1 };
      free[lane] = from + wide;
      return { lane, end, x: x + (end ? -4 : 4), y: 4 + 14 * lane };
    });
  };

  // The page around the picture.
  const button = (words, label, act) => {
    const node = el('button', { type: 'button', 'aria-label': label }, words);
    node.addEventListener('click', act);
    return node;
  };
  const select = el('select', { id: 'explorer-pick' }, el('option', { value: 'all' }, 'whole gateway'));
  if (D.lanes.length) {
    D.zones.forEach((zone, index) => { if (D.lanes.some(lane => lane.zone === index))
      select.append(el('option', { value: `z${index}` }, `zone ${zone}`)); });
    D.lanes.forEach((lane, index) => select.append(el('option', { value: `r${index}` }, lane.name)));
  }
  select.addEventListener('change', () => { view.pick = select.value; draw(); });
  const tools = el('div', { class: 'tools' }, [
    el('label', { for: 'explorer-pick' }, 'Show'), select,
    button('+', 'Zoom in', () => zoom(.5)), button('−', 'Zoom out', () => zoom(2)),
    button('◂', 'Earlier', () => pan(-.5)), button('▸', 'Later', () => pan(.5)),
    button('whole run', 'Whole run', () => show(0, D.end)),
    el('span', { class: 'hint' }, 'drag to zoom; keys ← → + − 0'),
  ]);
  const readout = el('div', { class: 'readout', role: 'status', 'aria-live': 'polite', 'aria-atomic': 'true' });
  const picture = svg('svg', { 'aria-hidden': 'true' });
  const canvas = el('div', { class: 'canvas', tabindex: 0, role: 'slider', 'aria-label':
    'Moment of the run; arrow keys move it, plus and minus zoom, zero shows the whole run',
    'aria-valuemin': 0, 'aria-valuemax': D.end }, picture);
  const legend = el('div', { class: 'legend' }, D.conditions.flatMap((words, index) =>
    D.lanes.some(lane => lane.spans.some((value, at) => at % 3 === 2 && value === index))
      ? [el('span', {}, [el('i', { style: `background:${colour(COLOURS[index])}` }), words])] : []));
  const moments = el('ul', { class: 'moments', 'aria-label': 'Moments that matter' },
    D.moments.slice(0, 12).map(one => {
      const node = button(`${clock(one.at)} ${one.text}`, `Go to ${clock(one.at)}, ${one.text}`, () => {
        const around = Math.max(stretch, Math.min(60, D.end / 8));
        show(one.at - around / 2, one.at + around * 1.5);
        move(one.at);
      });
      node.className = one.kind;
      return el('li', {}, node);
    }));
  place.append(tools, readout, canvas, legend, moments, el('p', { class: 'sample' }, D.about));
  place.setAttribute('role', 'group');
  place.setAttribute('aria-label', 'Timeline to explore');

  const cursor = svg('path', { stroke: colour('ink'), 'stroke-width': 1 });
  const brush = svg('rect', { fill: colour('served'), opacity: .18 });
  let top = 0, bottom = 0, drawn = [];

  function draw() {
    inner = Math.max(180, canvas.clientWidth - LEFT - RIGHT);
    const group = svg('g'), shown = D.moments.filter(one => one.at >= view.from && one.at <= view.to);
    drawn = panels();
    const labels = placed(shown);
    let y = top = 28 + 14 * Math.max(0, ...labels.map(label => label.lane + 1));
    const starts = drawn.map(panel => {
      const at = y += isNarrow(panel) ? 14 : 0;
      y += panel.height + 28;
      return at;
    });
    bottom = D.lanes.length ? y + D.lanes.length * LANE : y - 22;
    if (D.warmUp > view.from) group.append(svg('rect', { x: LEFT, y: top, height: bottom - top,
      width: Math.max(0, across(Math.min(D.warmUp, view.to)) - LEFT), fill: colour('shade') }));
    shown.forEach((one, index) => {
      const role = { fault: 'bad', recovered: 'good' }[one.kind], label = labels[index];
      group.append(svg('path', { d: `M${across(one.at)} ${label.y ?? top}V${bottom}`,
        'stroke-width': 1.2, stroke: colour(role || 'axis'),
        'stroke-dasharray': one.kind === 'fault' ? 'none' : '3 3' }));
      if (label.lane >= 0) group.append(svg('text', { x: label.x, y: label.y + 9,
        'text-anchor': label.end ? 'end' : 'start', style: `fill:${colour(role || 'muted')}` }, one.text));
    });
    drawn.forEach((panel, index) => drawPanel(group, panel, starts[index]));
    if (D.lanes.length) drawLanes(group, y);
    drawTime(group, bottom);
    picture.replaceChildren(group, brush, cursor);
    const tall = bottom + 24;
    picture.setAttribute('viewBox', `0 0 ${LEFT + inner + RIGHT} ${tall}`);
    picture.setAttribute('height', tall);
    select.value = view.pick;
    mark();
  }

  // The moment under the cursor, in the picture and in words.
  function mark() {
    const at = view.at, bin = Math.min(bins - 1, Math.max(0, Math.floor(at / D.step + 1e-6)));
    const x = across(at), inside = x >= LEFT - .5 && x <= LEFT + inner + .5;
    cursor.setAttribute('d', inside ? `M${x} ${top}V${bottom}` : '');
    const cells = [['time', clock(bin * D.step)]], all = view.pick === 'all';
    const value = (points, words) => words(valueAt(points, bin * D.step));
    const rate = points => value(points, v => v == null ? '–' : `${number(v)}/s`);
    cells.push([all ? 'sent' : 'reached it', rate(series('sent'))], ['served', rate(series('served'))]);
    if (all) {
      cells.push(['failed', `${number(D.failed[bin])}/s`]);
      if (D.rejected[bin]) cells.push(['rejected', `${number(D.rejected[bin])}/s`]);
    }
    cells.push(['p50, of all', latency(D.p50[bin])], ['p99, of all', latency(D.p99[bin])]);
    const cpu = series('cpu', true);
    cells.push(['CPU, true', value(cpu, percent)],
      ['as monitored', value(all ? D.monitored || [] : monitored(cpu), percent)],
      ['requests held', value(series('held'), number)]);
    if (all) cells.push(['in rotation', number(D.inRotation[bin])]);
    if (all && D.wanted[bin] != null) cells.push(['wanted', number(D.wanted[bin])]);
    const states = lanesOf(view.pick).map(lane => {
      for (let i = 0; i < lane.spans.length; i += 3)
        if (lane.spans[i] <= at + 1e-6 && at < lane.spans[i + 1]) return [lane.name, D.conditions[lane.spans[i + 2]]];
      return null;
    }).filter(Boolean);
    const why = D.kinds.flatMap(kind => {
      for (let i = 0; i < kind.at.length; i += 2) if (kind.at[i] === bin) return [`${kind.label} ${number(kind.at[i + 1])}/s`];
      return [];
    });
    const last = D.moments.filter(one => one.at <= at + D.step).at(-1);
    const more = [states.slice(0, 8).map(([who, what]) => `${who} ${what}`).join(', '), why.join(', '),
      last ? `last: ${clock(last.at)} ${last.text}` : ''].filter(Boolean).join(' · ');
    readout.replaceChildren(...cells.map(([words, text]) => el('span', {}, [el('b', {}, words), ' ', text])),
      el('span', { class: 'wide' }, more));
    canvas.setAttribute('aria-valuenow', +at.toFixed(3));
    canvas.setAttribute('aria-valuetext', clock(bin * D.step));
  }

  function show(from, to) {
    const span = Math.min(D.end, Math.max(stretch, to - from));
    view.from = Math.min(Math.max(0, from), D.end - span);
    view.to = view.from + span;
    draw();
  }
  function zoom(by) {
    const span = (view.to - view.from) * by;
    const middle = view.at >= view.from && view.at <= view.to ? view.at : (view.from + view.to) / 2;
    const part = (middle - view.from) / (view.to - view.from);
    show(middle - span * part, middle + span * (1 - part));
  }
  function pan(by) { const span = view.to - view.from; show(view.from + by * span, view.to + by * span); }
  function move(at) {
    view.at = Math.min(D.end - 1e-6, Math.max(0, at));
    if (view.at < view.from) show(view.at, view.at + view.to - view.from);
    else if (view.at > view.to) show(view.at - view.to + view.from, view.at);
    else mark();
  }

  canvas.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const far = event.shiftKey ? 10 : 1, step = Math.max(D.step, (view.to - view.from) / 300);
    const act = {
      ArrowRight: () => move(view.at + step * far), ArrowLeft: () => move(view.at - step * far),
      ArrowUp: () => move(view.at + step * far), ArrowDown: () => move(view.at - step * far),
      PageUp: () => move(view.at + step * 30), PageDown: () => move(view.at - step * 30),
      Home: () => move(view.from), End: () => move(view.to),
      '+': () => zoom(.5), '=': () => zoom(.5), '-': () => zoom(2), 0: () => show(0, D.end),
      Escape: () => show(0, D.end),
    }[event.key];
    if (act) { event.preventDefault(); act(); }
  });

  // Pointing moves the cursor; dragging with a mouse chooses a stretch of time.
  let start = null;
  const where = event => {
    const box = picture.getBoundingClientRect();
    return (event.clientX - box.left) * (LEFT + inner + RIGHT) / box.width;
  };
  const clamp = x => Math.min(LEFT + inner, Math.max(LEFT, x));
  canvas.addEventListener('pointermove', event => {
    const x = where(event);
    if (start != null && event.pointerType === 'mouse') {
      const [low, high] = [start, clamp(x)].sort((a, b) => a - b);
      put(brush, { x: low, y: top, width: high - low, height: bottom - top });
    }
    if (x >= LEFT && x <= LEFT + inner) move(Math.min(timeAt(x), D.end));
  });
  canvas.addEventListener('pointerdown', event => {
    const lane = event.target.closest?.('.lane'), x = where(event);
    if (lane && x < LEFT) {
      view.pick = view.pick === lane.dataset.pick ? 'all' : lane.dataset.pick;
      return draw();
    }
    start = clamp(x);
    if (event.pointerType === 'mouse') canvas.setPointerCapture(event.pointerId);
    else move(timeAt(start));
  });
  const done = event => {
    const [low, high] = [start ?? 0, clamp(where(event))].sort((a, b) => a - b);
    put(brush, { width: 0 });
    if (start != null && event.pointerType === 'mouse' && high - low > 8) show(timeAt(low), timeAt(high));
    start = null;
  };
  canvas.addEventListener('pointerup', done);
  canvas.addEventListener('pointercancel', () => { start = null; put(brush, { width: 0 }); });
  canvas.addEventListener('dblclick', () => show(0, D.end));
  let before = 0;
  new ResizeObserver(() => {
    if (canvas.clientWidth !== before) { before = canvas.clientWidth; draw(); }
  }).observe(canvas);
})();
