import t from 'tap'
import { awsFailure } from '../../../app/processors/aws-failure.ts'

const failure = (error: object) =>
  awsFailure(error, {
    service: 'S3',
    code: 'ARCHIVE',
    permanent: /^NoSuchBucket/,
    permission: 's3:PutObject'
  })

t.test('tells failures apart', async (t) => {
  t.match(failure({ name: 'NoSuchBucket', message: 'no such bucket' }), {
    name: 'PermanentError',
    code: 'ARCHIVE_REJECTED',
    message: 'S3: NoSuchBucket: no such bucket'
  })
  const unauthorized = {
    name: 'ListenerError',
    code: 'ARCHIVE_UNAUTHORIZED',
    message: /; allow s3:PutObject$/
  }
  t.match(failure({ name: 'AccessDenied', message: 'denied' }), unauthorized)
  t.match(failure({ name: 'Unknown', $metadata: { httpStatusCode: 403 } }), unauthorized)
  t.match(failure({ name: 'SlowDown', message: 'slow\nrequest', $metadata: { httpStatusCode: 503 } }), {
    name: 'ListenerError',
    code: 'ARCHIVE_UNAVAILABLE',
    message: 'S3: SlowDown: slow'
  })
  t.match(failure({ name: 'TimeoutError' }), { code: 'ARCHIVE_UNAVAILABLE', message: 'S3: TimeoutError: ' })
})

t.test('cuts long messages', async (t) => {
  t.ok(failure({ name: 'SlowDown', message: 'x'.repeat(10_000) }).message.length < 400)
})
