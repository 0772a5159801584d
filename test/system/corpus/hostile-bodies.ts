/** Bodies that attack a parser. Signed, each is authentic: it must be accepted, and only become events. */

const ASSET = '"asset_id":"a","public_id":"p","version":1'

const list = (count: number, entry: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => entry(index)).join()

const polluting = (value: string) => `{"__proto__":${value},"constructor":{"prototype":${value}}}`
const POLLUTION = '{"polluted":"yes","asset_id":"polluted","notification_type":"upload","resources":[{}]}'

const MEGABYTE_OF_BRACKETS = '['.repeat(1_000_000)

export const HOSTILE_BODIES: Record<string, string | Buffer> = {
  // prototype pollution
  '__proto__ and constructor.prototype at the top': polluting(POLLUTION),
  '__proto__ in a known type': `{"notification_type":"rename",${ASSET},"__proto__":${POLLUTION}}`,
  '__proto__ in an entry of resources': `{"notification_type":"delete","resources":[${polluting(POLLUTION)}]}`,
  '__proto__ as a public id': `{"notification_type":"move","resources":{"__proto__":{"bytes":1},"toString":{"bytes":2}}}`,
  '__proto__ in the context of the notification': `{"notification_context":{"__proto__":{"triggered_by":{"id":"111111111111111"}}}}`,
  '__proto__ as text, null and number': '{"a":{"__proto__":"x"},"b":{"__proto__":null},"c":{"__proto__":1}}',
  'resources that are __proto__': '{"__proto__":{"resources":{"a":{}}},"resources":{"__proto__":null}}',

  // depth and size
  'objects 100,000 deep': `{"a":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`,
  'arrays 100,000 deep': `{"resources":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
  'a million opening brackets': MEGABYTE_OF_BRACKETS,
  'a million opening brackets in an object': `{"a":${MEGABYTE_OF_BRACKETS}`,
  'a string of 1 MB that does not end': `{"a":"${'x'.repeat(1_000_000)}`,
  'a million spaces': ' '.repeat(1_000_000),
  '80,000 keys': `{${list(80_000, (index) => `"${index}":0`)}}`,
  'a public id of 500 KB': `{"notification_type":"upload","asset_id":"a","public_id":"${'p'.repeat(500_000)}"}`,
  'a notification type of 500 KB': `{"notification_type":"${'t'.repeat(500_000)}"}`,

  // numbers and times
  'a number of 100,000 digits': `{"notification_type":"upload",${ASSET.slice(0, -1)}${'9'.repeat(100_000)}}`,
  'numbers beyond a double': `{"notification_type":"upload","asset_id":1e999,"version":-1e999,"timestamp":1e400,"bytes":-0}`,
  'a version that is a fraction': `{"notification_type":"upload","asset_id":"a","version":1e-7}`,
  'times that are none': `{"notification_type":"upload",${ASSET},"timestamp":"+275760-09-13T00:00:00.001Z","notification_context":{"triggered_at":"-271821-04-20T00:00:00.000Z"}}`,
  'a time before Unix and one after ISO': `{"timestamp":-1e12,"notification_context":{"triggered_at":8.64e15}}`,

  // text
  'lone surrogates':
    '{"notification_type":"upload","asset_id":"\\ud800","public_id":"\\udfff\\ud800","\\udc00":"\\ud83d"}',
  'characters that SQS refuses': '{"public_id":"\\u0000\\u0001\\u001f\\u007f\\u0080\\ufffe\\uffff\\ufdd0"}',
  'characters that SQS refuses, unescaped': '{"public_id":"\u0080\ufffe\uffff\ufdd0\u2028"}',
  'surrogates as UTF-8': Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x30, 0x7d]),
  'overlong UTF-8': Buffer.from([0x7b, 0x22, 0xc0, 0x80, 0x22, 0x3a, 0x30, 0x7d]),
  'UTF-16': Buffer.from('\ufeff{"notification_type":"upload"}', 'utf16le'),
  'a byte order mark': `\ufeff{"notification_type":"rename",${ASSET}}`,
  'two byte order marks': '\ufeff\ufeff{}',
  'bytes that are no text': Buffer.from(Array.from({ length: 1024 }, (_, index) => (index * 151) % 256)),
  NULs: Buffer.alloc(1024),
  gzip: Buffer.from('1f8b080000000000000aab562a4a2dce2f2d4a4e2d56b28a8ead0500c7b8e6e510000000', 'hex'),

  // JSON of an undocumented form
  'an empty body': '',
  null: 'null',
  true: 'true',
  'a number': '-0',
  'a string': '"resources"',
  'an empty array': '[]',
  'an array of notifications': `[{"notification_type":"upload",${ASSET}}]`,
  'an empty object': '{}',
  'JSON with a comment': '{} // upload',
  'two JSON documents': '{}{}',
  'NaN and Infinity': '{"a":NaN,"b":Infinity}',
  'duplicate keys':
    '{"notification_type":"upload","notification_type":"delete","asset_id":"a","asset_id":"b","resources":[],"resources":{}}',
  'keys with a meaning in JavaScript':
    '{"toJSON":"x","then":{"then":1},"length":-1,"valueOf":null,"hasOwnProperty":1,"toString":0,"constructor":false}',
  'a type named toString': '{"notification_type":"toString"}',
  'a type named __proto__': '{"notification_type":"__proto__"}',
  'a type that is not text': '{"notification_type":{"toString":"upload"}}',
  'fields of other types than agreed':
    '{"notification_type":"upload","asset_id":{"a":1},"public_id":["p"],"version":{},"resource_type":null,"type":[],"timestamp":[],"notification_context":[{"triggered_by":[]}]}',
  'a context of other types than agreed':
    '{"notification_context":{"triggered_by":null,"triggered_at":{"a":[]}},"signature_key":{}}',
  'resources of every type': '{"resources":[null,0,"",[],[[]],{},true]}',
  'resources that are text': '{"resources":"abc"}',
  'a map of every type': '{"resources":{"":null,"a":0,"b":"","c":[],"d":true}}',
  'resources and assets':
    '{"notification_type":"proof_status_changed","resources":{},"assets":[{"asset_id":"a"}]}'
}

/**
 * Many assets in one notification; one call to Cloudinary can change 1,000. Separate because storing them is
 * slow.
 */
export const MANY_ASSETS: Record<string, string> = {
  '1,000 resources': `{"notification_type":"delete","resources":[${list(1000, (index) => `{"asset_id":"${index}"}`)}]}`,
  'a map of 2,000 keys': `{"notification_type":"move","resources":{"__proto__":{},"toString":{},${list(
    2000,
    (index) => `"key ${index}":{}`
  )}}}`
}
