import t from 'tap'
import { isServed } from '../../../app/web/webhook-path.ts'

t.test('serves the path with and without a final slash only', (t) => {
  const served = (url: string) => isServed(new URL(url))
  for (const url of [
    'https://example.com/webhooks/cloudinary',
    'https://example.com/webhooks/cloudinary/',
    'http://localhost:8080/webhooks/cloudinary?source=preset'
  ])
    t.equal(served(url), true, url)
  for (const url of [
    'https://example.com',
    'https://example.com/webhook/cloudinary',
    'https://example.com/Webhooks/Cloudinary',
    'https://example.com/webhooks/cloudinary//',
    'https://example.com/stage/webhooks/cloudinary'
  ])
    t.equal(served(url), false, url)
  t.end()
})
