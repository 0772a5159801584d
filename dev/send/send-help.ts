import { SAMPLE_NAMES, TYPES_OF_MANY } from '../../app/testing/samples.ts'
import { DEFECTS } from './send-options.ts'

export const HELP = `Sends a signed notification to a running listener, as Cloudinary would.

  npm run send -- [TYPE] [options]        TYPE defaults to upload

What to send
  --variant V          another form of the same type; --list shows them
  --public-id ID       the asset
  --resource-type T    image, video or raw
  --resources N        N assets in one notification, 1 to 1000
  --count N            N notifications, each for another asset
  --concurrency N      requests in flight with --count (default: 20)
  --file F             the exact bytes of a file instead of a sample

Who made the change
  (default)            a colleague's API key, so that processors run
  --own                the listener's own API key: stored, but runs no processor except for eager
  --ui                 a person in the Console

Where to send it, and how to sign it
  --url URL            default: http://127.0.0.1:$PORT/webhooks/cloudinary, PORT being 8080 by default
  --cloud C  --key K  --secret S
                       default: CLOUDINARY_URL, or those of the stand-in of npm start
  --sha256             SHA-256 instead of SHA-1

Errors to inject (one at a time; the listener should then answer 401)
${Object.entries(DEFECTS)
  .map(([name, { code, description }]) => `  ${`--${name}`.padEnd(20)} ${description}: ${code}`)
  .join('\n')}

  --list               the types and their variants
  --help               this text

Exits with 0 when the listener answers as expected for the flags, and with 1 otherwise.`

/** Lists the types and their variants, the default first, and marks those that accept `--resources`. */
export function listing(): string {
  const width = Math.max(...SAMPLE_NAMES.map(({ type }) => type.length))
  const lines = SAMPLE_NAMES.map(
    ({ type, variants }) =>
      `  ${type.padEnd(width)} ${TYPES_OF_MANY.includes(type) ? '*' : ' '} ${variants.join(', ')}`
  )
  return ['Types and their variants (the default first):', '', ...lines, '', '* accepts --resources N'].join(
    '\n'
  )
}
