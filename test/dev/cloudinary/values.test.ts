import t from 'tap'
import { commaListOf, flagOf, listOf, pairsOf, requiredText, textOf } from '../../../dev/cloudinary/values.ts'

t.test('returns a text', async (t) => {
  t.equal(textOf({ a: 'x' }, 'a'), 'x')
  t.equal(textOf({ a: ['x', 'y'] }, 'a'), 'x,y')
  t.equal(textOf({ a: '' }, 'a'), undefined)
  t.equal(textOf({}, 'a'), undefined)
  t.equal(requiredText({ a: 'x' }, 'a'), 'x')
  t.throws(() => requiredText({}, 'a'), { status: 400, message: 'Missing required parameter - a' })
})

t.test('returns lists', async (t) => {
  t.same(listOf({ a: ['x', 'y'] }, 'a'), ['x', 'y'])
  t.same(listOf({ a: 'x' }, 'a'), ['x'])
  t.same(listOf({}, 'a'), [])
  t.same(commaListOf({ a: 'x, y,,x' }, 'a'), ['x', 'y'])
  t.equal(commaListOf({}, 'a'), undefined)
})

t.test('returns flags', async (t) => {
  t.equal(flagOf({ a: '1' }, 'a'), true)
  t.equal(flagOf({ a: 'true' }, 'a'), true)
  t.equal(flagOf({ a: '0' }, 'a'), false)
  t.equal(flagOf({}, 'a'), undefined)
})

t.test('returns pairs', async (t) => {
  t.equal(pairsOf({}, 'a'), undefined)
  t.same(pairsOf({ a: 'k=v|k2=' }, 'a'), { k: 'v', k2: '' })
  t.same(pairsOf({ a: String.raw`k=1\=1\|2|s=["a","b"]` }, 'a'), { k: '1=1|2', s: '["a","b"]' })
  t.throws(() => pairsOf({ a: '1.5' }, 'a'), { status: 400, message: 'Invalid value 1.5 for parameter a' })
  t.throws(() => pairsOf({ a: '=v' }, 'a'), { name: 'ApiError', status: 400 })
})
