import t from 'tap'
import {
  cleanText,
  cut,
  defaultText,
  detailsOf,
  webAddress
} from '../../../../app/processors/chat/chat-message.ts'
import { sampleEvent } from '../../../support/events.ts'

t.test('says what happened to which asset', async (t) => {
  const said = (...given: Parameters<typeof sampleEvent>) => defaultText(sampleEvent(...given))
  t.equal(said('upload', { publicId: 'shop/bag' }, { display_name: 'A\nbag' }), 'A bag was uploaded')
  t.equal(said('upload', { publicId: 'shop/bag' }, { display_name: '' }), 'shop/bag was uploaded')
  t.equal(
    said('rename', {}, { from_public_id: 'bag', to_public_id: 'shop/bag' }),
    'bag was renamed to shop/bag'
  )
  const rename = sampleEvent('rename', {}, { to_public_id: 'shop/bag' })
  t.equal(defaultText({ ...rename, payload: {} }), `an asset was renamed to ${rename.asset?.publicId}`)
  t.match(said('delete', { publicId: 'bag' }), 'bag was deleted')
  t.match(said('resource_tags_changed', { publicId: 'bag' }), 'resource tags changed: bag')
  t.equal(said('create_folder'), 'create folder')
  const upload = sampleEvent('upload')
  t.equal(defaultText({ ...upload, asset: { assetId: 'a1' }, payload: {} }), 'a1 was uploaded')
})

t.test('describes an event in a few words', async (t) => {
  const upload = sampleEvent('upload', {}, { width: 640, height: 480, format: 'png' })
  t.equal(detailsOf(upload), 'demo · upload · image · png · 640 × 480')
  t.equal(detailsOf(sampleEvent('create_folder')), 'demo · create folder')
  t.equal(detailsOf({ ...upload, payload: { width: 640 } }), 'demo · upload · image')
})

t.test('cuts and cleans text', async (t) => {
  t.equal(cut('abc', 3), 'abc')
  t.equal(cut('abcd', 3), 'ab…')
  t.equal(cut('a😀bc', 3), 'a…', 'does not split a pair')
  t.equal(cleanText(' a\u0000b\nc\td\ud800 '), 'a b\nc d\ufffd')
})

t.test('accepts only web addresses', async (t) => {
  t.equal(webAddress('https://a.example/ä b'), 'https://a.example/%C3%A4%20b')
  t.equal(webAddress('http://127.0.0.1:1'), 'http://127.0.0.1:1/')
  for (const address of [
    undefined,
    '',
    'a.example',
    'javascript:alert(1)',
    `https://a.example/${'x'.repeat(3000)}`
  ]) {
    t.equal(webAddress(address), undefined)
  }
})
