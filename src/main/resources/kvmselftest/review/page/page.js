// Draws the charts of report.html from the JSON in it, as SVG. Colours come from the style sheet, and
// nothing is told by colour alone: lines differ in style and marker, bars in pattern, and each is named.
'use strict';
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const drawn = new Map();

  const color = name => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();

  // A number of at most so many digits after the point, with a real minus sign.
  const plain = (value, digits = 3) =>
    Number(value.toFixed(digits)).toLocaleString('en', {maximumFractionDigits: digits}).replace('-', '\u2212');

  const axis = extra => ({
    nameLocation: 'middle',
    nameTextStyle: {color: color('front'), fontSize: 13},
    axisLabel: {color: color('faint'), hideOverlap: true},
    axisLine: {show: true, lineStyle: {color: color('line')}},
    splitLine: {lineStyle: {color: color('line')}},
    ...extra,
  });

  const base = () => ({
    animation: false,
    textStyle: {color: color('front'), fontFamily: 'system-ui, sans-serif'},
    aria: {enabled: true},
    tooltip: {
      trigger: 'item',
      renderMode: 'richText',
      backgroundColor: color('back'),
      borderColor: color('line'),
      textStyle: {color: color('front')},
    },
  });

  const nameOf = chart => `${chart.way}, ${chart.vcpus} vCPUs, ${chart.test}`;

  // --- Guest TSC and kvmclock against host time, in ms, of vCPU 0 ---

  function migration(chart) {
    const samples = chart.samples.filter(sample => sample.vcpu === 0);
    const first = samples[0];
    const host = sample => Number(BigInt(sample.hostNs) - BigInt(first.hostNs)) / 1e6;
    const clocks = [
      {
        name: 'guest TSC', color: color('one'), type: 'solid', symbol: 'circle', size: 7, label: -9, filled: true,
        of: sample => Number(BigInt.asIntN(64, BigInt(sample.guestTsc) - BigInt(first.guestTsc))) / chart.tscKhz,
      },
      {
        name: 'kvmclock', color: color('two'), type: 'dashed', symbol: 'diamond', size: 15, label: 9, filled: false,
        of: sample => Number(BigInt(sample.kvmclockNs) - BigInt(first.kvmclockNs)) / 1e6,
      },
    ];
    const source = samples.filter(sample => sample.vm === 'source');
    const destination = samples.filter(sample => sample.vm !== 'source');
    const end = Math.max(...samples.map(host));
    // No line joins the two VMs: between them there is no clock to be read.
    const points = of => [...source.map(of), ['-', '-'], ...destination.map(of)];
    const series = [];
    for (const clock of clocks) {
      const look = {
        type: 'line',
        symbol: clock.symbol,
        symbolSize: clock.size,
        itemStyle: {color: clock.filled ? clock.color : 'transparent', borderColor: clock.color, borderWidth: 2},
        lineStyle: {color: clock.color, type: clock.type, width: 2},
      };
      series.push({
        ...look,
        name: clock.name,
        data: points(sample => [host(sample), clock.of(sample)]),
        endLabel: {show: true, formatter: clock.name, color: clock.color, fontSize: 13, offset: [4, clock.label]},
        tooltip: {formatter: at => `${clock.name}: ${plain(at.value[1], 6)} ms at ${plain(at.value[0], 6)} ms`},
      });
      series.push({
        ...look,
        name: clock.name,
        xAxisIndex: 1,
        yAxisIndex: 1,
        data: points(sample => [host(sample), (clock.of(sample) - host(sample)) * 1e3]),
        endLabel: {show: true, formatter: clock.name, color: clock.color, fontSize: 13, offset: [4, clock.label]},
        tooltip: {formatter: at => `${clock.name}: ${plain(at.value[1])} \u00b5s ahead at ${plain(at.value[0], 6)} ms`},
      });
    }
    series.push({
      type: 'line',
      name: 'host time',
      data: [[0, 0], [end, end]],
      symbol: 'none',
      silent: true,
      lineStyle: {color: color('faint'), type: 'dotted', width: 2},
    });
    if (source.length && destination.length) {
      const from = Math.max(...source.map(host));
      const to = Math.min(...destination.map(host));
      const area = grid => ({
        silent: true,
        itemStyle: {color: color('band'), opacity: .7},
        label: {color: color('front'), position: 'insideTop', fontSize: 12},
        data: [[{xAxis: from, name: grid ? '' : 'moved'}, {xAxis: to}]],
      });
      series[0].markArea = area(0);
      series[1].markArea = area(1);
    }
    const x = grid => axis({
      type: 'value', gridIndex: grid, min: 0, max: end, name: grid ? 'host time, ms' : '', nameGap: 28,
      axisLabel: {color: color('faint'), hideOverlap: true, formatter: value => plain(value)},
    });
    const y = (grid, name) => axis({
      type: 'value', gridIndex: grid, name, nameGap: 68, scale: grid === 1,
      axisLabel: {color: color('faint'), hideOverlap: true, formatter: value => plain(value)},
    });
    return {
      height: 520,
      option: {
        ...base(),
        grid: [
          {left: 95, right: 90, top: 20, height: 235},
          {left: 95, right: 90, top: 300, height: 155},
        ],
        xAxis: [x(0), x(1)],
        yAxis: [y(0, 'clock, ms'), y(1, 'clock minus host, \u00b5s')],
        series,
      },
    };
  }

  // --- Each vCPU's TSC against that of vCPU 0 ---

  function differences(chart) {
    const {before, after} = chart.tscDifferences;
    const bars = (name, values, fill, decal, align) => ({
      type: 'bar',
      name,
      data: values.map(Number),
      barMaxWidth: 48,
      itemStyle: {color: fill, decal, borderColor: color('front'), borderWidth: 1},
      label: {
        show: true,
        position: 'top',
        align, // away from the other bar, whose label may be as wide
        color: color('front'),
        formatter: at => values[at.dataIndex].replace('-', '\u2212'),
      },
      tooltip: {formatter: at => `vCPU ${at.dataIndex} ${name}: ${values[at.dataIndex]} ticks`},
    });
    const lines = {symbol: 'rect', color: color('back'), dashArrayX: [1, 0], dashArrayY: [3, 5], rotation: -Math.PI / 4};
    return {
      height: 340,
      option: {
        ...base(),
        grid: {left: 150, right: 30, top: 40, bottom: 50},
        legend: {top: 0, textStyle: {color: color('front')}, itemWidth: 30},
        xAxis: axis({type: 'category', data: before.map((_, vcpu) => `vCPU ${vcpu}`), name: 'vCPU', nameGap: 28}),
        yAxis: axis({
          type: 'value', name: 'ticks ahead of vCPU 0', nameGap: 125,
          axisLabel: {color: color('faint'), formatter: value => plain(value)},
        }),
        series: [
          bars('before', before, color('one'), {symbol: 'none'}, 'right'),
          bars('after', after, color('two'), lines, 'left'),
        ],
      },
    };
  }

  // --- Detection floors ---

  function floors(unit, width) {
    const bars = data.floors.filter(bar => bar.unit === unit).sort((a, b) => b.floor - a.floor);
    const narrow = width < 700;
    const least = Math.min(1, ...bars.map(bar => bar.floor).filter(floor => floor > 0));
    // A logarithm has no 0: such a bar is left out, and its label says 0.
    const start = 10 ** Math.floor(Math.log10(least));
    return {
      height: 90 + bars.length * (narrow ? 44 : 26),
      option: {
        ...base(),
        grid: {left: narrow ? 16 : 430, right: 90, top: 10, bottom: 50},
        xAxis: axis({
          type: 'log', min: start, name: `detection floor, ${unit}`, nameGap: 28,
          axisLabel: {color: color('faint'), hideOverlap: true, formatter: value => plain(value, 6)},
        }),
        yAxis: axis({
          type: 'category',
          data: bars.map(bar => bar.test),
          axisTick: {show: false},
          axisLabel: narrow
            ? {show: false}
            : {color: color('front'), width: 415, overflow: 'truncate', interval: 0},
        }),
        series: [{
          type: 'bar',
          barWidth: narrow ? 14 : 15,
          data: bars.map(bar => Math.max(bar.floor, start)),
          itemStyle: {color: color('one')},
          label: {
            show: true,
            position: 'right',
            color: color('front'),
            formatter: at => `${plain(bars[at.dataIndex].floor, 4)} ${unit}`,
          },
          tooltip: {
            formatter: at => `${bars[at.dataIndex].test}: ${plain(bars[at.dataIndex].floor, 4)} ${unit},`
              + ` the largest of ${bars[at.dataIndex].values}`,
          },
        }].concat(narrow ? [names(bars, start)] : []),
      },
    };
  }

  // On a narrow page the tests' names stand above their bars.
  const names = (bars, start) => ({
    type: 'bar',
    barWidth: 14,
    barGap: '-100%',
    silent: true,
    data: bars.map(() => start),
    itemStyle: {color: 'transparent'},
    label: {
      show: true,
      position: 'insideLeft',
      offset: [-4, -17],
      color: color('front'),
      fontSize: 11,
      formatter: at => bars[at.dataIndex].test,
    },
  });

  function draw(element) {
    const {kind, name} = element.dataset;
    const chart = data.migrations.find(one => nameOf(one) === name);
    const {option, height} =
      kind === 'floors' ? floors(name, element.clientWidth)
        : kind === 'migration' ? migration(chart) : differences(chart);
    element.style.height = `${height}px`;
    drawn.get(element)?.dispose();
    const instance = echarts.init(element, null, {renderer: 'svg'});
    instance.setOption(option);
    drawn.set(element, instance);
  }

  const all = () => document.querySelectorAll('.chart').forEach(draw);
  all();
  dark.addEventListener('change', all);
  let width = innerWidth;
  addEventListener('resize', () => {
    if (innerWidth !== width) {
      width = innerWidth;
      all();
    }
  });
})();
