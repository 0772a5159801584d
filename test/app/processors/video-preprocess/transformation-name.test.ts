import fc from 'fast-check'
import t from 'tap'
import { findRequested } from '../../../../app/processors/video-preprocess/transformation-name.ts'

const MP4 = 'w_640,c_limit,q_auto/mp4'
const TEXT = 'l_text:Arial_40:Hello%252C%20World%252F2,g_south/fl_layer_apply/q_auto/mp4'

t.test('recognizes any parameter order and encoding', async (t) => {
  const requested = ['sp_full_hd/m3u8', MP4, TEXT]
  for (const [name, expected] of [
    [MP4, MP4],
    ['c_limit,q_auto,w_640/mp4', MP4],
    ['w_640%2Cc_limit%2Cq_auto%2Fmp4', MP4],
    [TEXT, TEXT],
    ['g_south,l_text:Arial_40:Hello%2C World%2F2/fl_layer_apply/q_auto/mp4', TEXT],
    ['c_limit,q_auto,w_640', undefined],
    ['c_limit,q_auto,w_640/webm', undefined],
    ['c_limit,q_auto/w_640/mp4', undefined],
    ['g_south,l_text:Arial_40:Hello%2C Moon%2F2/fl_layer_apply/q_auto/mp4', undefined],
    ['fl_layer_apply/g_south,l_text:Arial_40:Hello%2C World%2F2/q_auto/mp4', undefined]
  ] as const) {
    t.equal(findRequested(name, requested), expected, name)
  }
  const encoded = 'w_640%2Cc_limit%2Fmp4'
  t.equal(findRequested('c_limit,w_640/mp4', [encoded]), encoded, 'encoded in the options')
  t.equal(findRequested(encoded, [encoded]), encoded)
  t.equal(findRequested('l_text:A:50% off', ['l_text:A:50%25%20off']), 'l_text:A:50%25%20off')
})

t.test('keeps encoded commas and slashes in their text', async (t) => {
  const inText = 'l_text:A:a%252Cw_1'
  const apart = 'l_text:A:a,w_1'
  for (const requested of [
    [inText, apart],
    [apart, inText]
  ]) {
    t.equal(findRequested('l_text:A:a%2Cw_1', requested), inText)
    t.equal(findRequested('l_text:A:a,w_1', requested), apart)
  }
})

/** Components of parameters, without percent signs, whose encoding depends on the depth. */
const value = fc.array(fc.constantFrom('a', '1', ',', '/', ' ', ':', 'é', '$', '.', ',w_1', '/mp4'), {
  minLength: 1,
  maxLength: 4
})
const parameter = fc
  .tuple(fc.constantFrom('w_', 'q_', 'l_text:A:', '$x_'), value)
  .map(([key, parts]) => key + parts.join(''))
const component = fc.uniqueArray(parameter, { minLength: 1, maxLength: 4 })
const transformation = fc.record({
  components: fc.array(component, { minLength: 1, maxLength: 3 }),
  format: fc.constantFrom('', '/mp4', '/m3u8')
})
type Transformation = typeof transformation extends fc.Arbitrary<infer T> ? T : never

const write = ({ components, format }: Transformation, encode: (parameter: string) => string) =>
  components.map((parameters) => parameters.map(encode).join(',')).join('/') + format
const inAddress = (text: string) =>
  encodeURIComponent(text).replaceAll(/%2[CF]/g, (code) => `%25${code.slice(1)}`)
const inResult = (text: string) => text.replaceAll(',', '%2C').replaceAll('/', '%2F')
const form = ({ components, format }: Transformation) =>
  JSON.stringify([components.map((parameters) => parameters.toSorted()), format])

t.test('matches equal transformations only', async (t) => {
  const shuffled = transformation.chain((given) =>
    fc.tuple(
      fc.constant(given),
      fc.tuple(
        ...given.components.map((parameters) =>
          fc.shuffledSubarray(parameters, { minLength: parameters.length })
        )
      )
    )
  )
  fc.assert(
    fc.property(shuffled, transformation, ([given, components], other) => {
      const requested = [write(other, inAddress), write(given, inAddress)]
      const isSame = form(other) === form(given)
      const permuted = { ...given, components }
      const names = [write(permuted, inResult), write(permuted, inAddress)]
      return names.every((name) => findRequested(name, requested) === requested[isSame ? 0 : 1])
    }),
    { numRuns: 2000 }
  )
  t.pass()
})
