import t from 'tap'
import { ApiError } from '../../../dev/cloudinary/errors.ts'

t.test('a refusal is written as Cloudinary writes it', async (t) => {
  const error = new ApiError(404, 'Resource not found - a')
  t.equal(error.status, 404)
  t.equal(JSON.stringify(error), '{"error":{"message":"Resource not found - a"}}')
})
