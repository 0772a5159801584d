import t from 'tap'
import { isFilter, matches } from '../../../dev/cloudinary/trigger-filter.ts'

const IMAGES = { '==': [{ var: 'resource_type' }, 'image'] }

t.test('accepts JSONLogic only', (t) => {
  for (const filter of [IMAGES, {}, { and: [IMAGES, { in: ['new', { var: 'tags' }] }] }])
    t.equal(isFilter(filter), true, JSON.stringify(filter))
  for (const filter of [null, 'image', [], [IMAGES], { nosuch: [1] }])
    t.equal(isFilter(filter), false, JSON.stringify(filter))
  t.end()
})

t.test('matches a body if the result is truthy', (t) => {
  t.equal(matches(undefined, 'not JSON'), true)
  t.equal(matches(IMAGES, '{"resource_type":"image"}'), true)
  t.equal(matches(IMAGES, '{"resource_type":"raw"}'), false)
  t.equal(matches(IMAGES, 'null'), false)
  t.equal(matches(IMAGES, 'not JSON'), false)
  t.equal(matches({ var: 'tags' }, '{"tags":["a"]}'), true)
  t.end()
})
