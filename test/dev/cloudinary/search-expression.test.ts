import t from 'tap'
import { compileExpression } from '../../../dev/cloudinary/search-expression.ts'

const NOW = Date.parse('2024-06-02T00:00:00Z')
const fields: Record<string, unknown> = {
  public_id: 'shop/Blue-shirt',
  resource_type: 'image',
  bytes: 100,
  tags: ['sale', 'Hello World!'],
  'metadata.sku': 'B-2',
  'last_updated.updated_at': new Date('2024-06-01T12:00:00Z')
}
const holds = (expression: string) => compileExpression(expression, NOW)((field) => fields[field])

const cases: Record<string, [string[], string[]]> = {
  'a colon matches a word, an equals sign the whole': [
    [
      'public_id:blue',
      'public_id="shop/Blue-shirt"',
      'resource_type:IMAGE',
      'tags:world',
      'tags="Hello World!"'
    ],
    ['public_id=blue', 'public_id:bl', 'resource_type=IMAGE', 'tags:hell']
  ],
  'an asterisk stands for any ending': [
    ['public_id:shop/*', 'tags=SA*'],
    ['public_id:shirt*', 'public_id="shop/*"']
  ],
  'a backslash escapes': [[String.raw`tags=Hello\ World\!`, String.raw`tags="Hello World\!"`], []],
  'numbers are compared as numbers': [
    ['bytes>99', 'bytes>=100', 'bytes<=100', 'bytes:100', 'bytes=100'],
    ['bytes<99', 'bytes>100']
  ],
  'texts are compared as texts': [['metadata.sku>"B-1"', 'metadata.sku<"B-3"'], ['metadata.sku<="B-1"']],
  'times are absolute or reach back from now': [
    [
      'last_updated.updated_at>="2024-06-01T12:00:00Z"',
      'last_updated.updated_at>1d',
      'last_updated.updated_at>1w',
      'last_updated.updated_at<"2024-06-02"'
    ],
    [
      'last_updated.updated_at>"2024-06-01T12:00:00Z"',
      'last_updated.updated_at>6h',
      'last_updated.updated_at>30m'
    ]
  ],
  'terms are joined by AND, a space, OR, NOT, a minus and brackets': [
    [
      'tags:sale AND bytes>1',
      'tags:sale bytes>1',
      'tags:no OR bytes>1',
      'NOT tags:no',
      '-tags:no',
      'tags:sale AND (tags:no OR NOT(tags:nope))',
      'tags:no AND tags:sale OR bytes>1'
    ],
    ['tags:sale AND tags:no', 'tags:sale tags:no', 'NOT tags:sale', 'tags:no AND (tags:sale OR bytes>1)']
  ],
  'an unknown field matches nothing': [[], ['nope:1', 'metadata.nope>1', 'nope=*']]
}

for (const [name, [yes, no]] of Object.entries(cases)) {
  t.test(name, async (t) => {
    for (const expression of yes) t.equal(holds(expression), true, expression)
    for (const expression of no) t.equal(holds(expression), false, expression)
  })
}

t.test('refuses an invalid expression', async (t) => {
  const wrong = [
    'created_at>2024-01-01T00:00:00Z',
    'word',
    'a:',
    '(tags:sale',
    'tags:sale)',
    'tags:sale AND',
    'OR a:1',
    ''
  ]
  for (const expression of wrong) {
    t.throws(() => holds(expression), { status: 400, message: /unexpected input/ }, expression)
  }
  t.throws(() => holds('last_updated.updated_at>yesterday'), { status: 400, message: /yesterday/ })
})
