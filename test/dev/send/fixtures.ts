import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import type { SendOptions } from '../../../dev/send/send-options.ts'

/** The default options of `npm run send`, with overrides. */
export function sendOptions(given: Partial<SendOptions> = {}): SendOptions {
  return {
    type: 'upload',
    resources: 1,
    count: 1,
    concurrency: 20,
    url: 'http://127.0.0.1:8080/webhooks/cloudinary',
    credentials: { ...LOCAL_CLOUDINARY, algorithm: 'sha1' },
    own: false,
    source: 'api',
    ...given
  }
}
