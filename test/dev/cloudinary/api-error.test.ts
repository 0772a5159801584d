import t from 'tap'
import { ApiError, rateLimited } from '../../../dev/cloudinary/api-error.ts'

t.test('serializes an error as Cloudinary does', async (t) => {
  const error = new ApiError(404, 'Resource not found - a')
  t.equal(error.status, 404)
  t.equal(JSON.stringify(error), '{"error":{"message":"Resource not found - a"}}')
})

t.test('states when the hourly limit ends', async (t) => {
  const until = Date.parse('2026-06-01T13:00:00Z')
  const message =
    'Rate Limit Exceeded. Limit of 500 api operations reached. Try again on 2026-06-01 13:00:00 UTC'
  t.match(rateLimited(500, until), { status: 420, message })
  t.match(rateLimited(500, until, 429), { status: 429, message })
})
