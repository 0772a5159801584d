import t from 'tap'
import { sparkBars, sparkline } from '../../../../app/activity/pages/sparkline.ts'

t.test('a line goes from the left to the right, the highest value on top', async (t) => {
  t.match(sparkline([0, 50, 100], 'p95').toString(), 'points="0,23 50,12 100,1"')
})

t.test('skips times without a value', async (t) => {
  t.match(sparkline([undefined, 4, undefined], 'p95').toString(), 'points="50,1"')
  t.notMatch(sparkline([undefined], 'p95').toString(), '<polyline')
  t.notMatch(sparkline([], 'p95').toString(), '<polyline')
})

t.test('the label is escaped', async (t) => {
  t.match(sparkline([1], '<p95>').toString(), 'aria-label="&#60;p95&#62;"')
})

t.test('bars are as high as their counts, and a count of one can be seen', async (t) => {
  const bars = sparkBars([0, 1, 100], 'failures', 'dead').toString()
  t.match(bars, '<rect class="none" x="0" y="23" width="26.67" height="1">')
  t.match(bars, '<rect class="dead" x="33.33" y="22" width="26.67" height="2">')
  t.match(bars, '<rect class="dead" x="66.67" y="0" width="26.67" height="24">')
  t.notMatch(sparkBars([], 'none', 'dead').toString(), '<rect')
})
