import fc from 'fast-check'
import t from 'tap'
import { barChart } from '../../../../app/activity/pages/bar-chart.ts'

const chartOf = (values: number[][], title = 'Events') =>
  barChart({
    title,
    labels: values[0]!.map((_, index) => `12:0${index}`),
    series: values.map((each, index) => ({ name: `s${index}`, colour: `c${index}`, values: each }))
  }).toString()

t.test('bars are stacked, and the scale ends at a round number', async (t) => {
  const chart = chartOf([
    [3, 0],
    [1, 0]
  ])
  t.match(chart, '<span>4</span><span>2</span><span>0</span>')
  t.match(chart, '<rect class="c0" x="1" y="25" width="8" height="75">')
  t.match(chart, '<rect class="c1" x="1" y="0" width="8" height="25">')
  t.match(chart, '<title>12:00: 3 s0, 1 s1</title>')
  t.match(chartOf([[250]]), '<span>400</span><span>200</span>')
})

t.test('the table lists the bars that are not empty', async (t) => {
  const chart = chartOf([
    [3, 0, 5],
    [1, 0, 0]
  ])
  t.match(chart, '<tr><th scope="row">12:00</th><td>3</td><td>1</td></tr>')
  t.match(chart, '<tr><th scope="row">12:02</th><td>5</td><td>0</td></tr>')
  t.notMatch(chart, '<th scope="row">12:01</th>')
})

t.test('the table states that there are no values', async (t) => {
  t.match(chartOf([[0, 0]]), 'Nothing happened in this time.')
})

t.test('a series may be shorter than the labels', async (t) => {
  const chart = barChart({
    title: 'x',
    labels: ['a', 'b'],
    series: [{ name: 's', colour: 'c', values: [1] }]
  })
  t.match(chart.toString(), '<title>b: 0 s</title>')
  t.match(barChart({ title: 'x', labels: [], series: [] }).toString(), 'viewBox="0 0 0 100"')
})

t.test('bars stay inside the drawing for any counts', async () => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { minLength: 1, maxLength: 9 }), (values) => {
      const bars = [
        ...chartOf([values, values]).matchAll(
          /class="c\d" x="[\d.]+" y="([\d.-]+)" width="8" height="([\d.]+)"/g
        )
      ]
      return bars.every(([, y, height]) => Number(y) >= -0.01 && Number(y) + Number(height) <= 100.02)
    })
  )
})

t.test('names are escaped', async (t) => {
  t.notMatch(chartOf([[1]], '<script>"'), '<script>')
})
