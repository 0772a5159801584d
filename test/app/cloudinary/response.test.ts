import t from 'tap'
import { z } from 'zod'
import { listOf, readResponse } from '../../../app/cloudinary/response.ts'

const Answer = z.object({ found: listOf<{ id: string }>(z.object({ id: z.string() })) })

t.test('drops elements without the required fields', async (t) => {
  const found = [null, 1, 'a', [], {}, { id: 1 }, { id: 'a', more: { x: null } }]
  t.strictSame(readResponse('list', { found }, Answer), { found: [{ id: 'a', more: { x: null } }] })
  for (const answer of [{}, { found: null }, { found: [] }]) {
    t.strictSame(readResponse('list', answer, Answer), { found: [] })
  }
})

t.test('an invalid response is an error that names the path and quotes nothing', async (t) => {
  const cases: [unknown, string][] = [
    [undefined, 'invalid_type at answer)'],
    [null, 'invalid_type at answer)'],
    ['secret', 'invalid_type at answer)'],
    [{ found: 'secret' }, 'invalid_type at answer.found)']
  ]
  for (const [answer, where] of cases) {
    t.throws(() => readResponse('list', answer, Answer), {
      code: 'CLOUDINARY_ANSWER_INVALID',
      failure: { kind: 'retryable' },
      message: where
    })
    t.throws(() => readResponse('list', answer, Answer), { message: /^(?!.*secret)/ })
  }
})
