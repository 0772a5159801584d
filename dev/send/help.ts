import { SAMPLE_NAMES, TYPES_OF_MANY } from '../../app/testing/samples.ts'
import { DEFECTS } from './defects.ts'

export const HELP = `Sends a signed notification to a running listener, as Cloudinary would.

  npm run send -- [TYPE] [options]        TYPE is upload unless it is given

What is sent
  --variant V          another spelling of the same type; --list shows them
  --public-id ID       the asset it is about
  --resource-type T    image, video or raw
  --resources N        N assets in one notification, 1 to 1000
  --count N            N notifications, each about another asset
  --concurrency N      requests in flight at once with --count; 20
  --file F             the exact bytes of a file instead of a sample

Who did it
  (nothing)            a colleague's API key, so that the listener takes it for somebody else's change
  --own                the listener's own API key: it is stored, and starts no processor but on eager
  --ui                 a person in the Console

Where to, and signed with what
  --url URL            http://127.0.0.1:$PORT/webhooks/cloudinary, with port 8080 unless PORT is set
  --cloud C  --key K  --secret S
                       else from CLOUDINARY_URL, else those of the stand-in of npm start
  --sha256             SHA-256 instead of SHA-1

What is wrong with it (one of them; the listener is then expected to answer 401)
${Object.entries(DEFECTS)
  .map(([name, { code, description }]) => `  ${`--${name}`.padEnd(20)} ${description}: ${code}`)
  .join('\n')}

  --list               the types and their variants
  --help               this text

It exits with 0 when the listener answered as it should, given the flags; else with 1.`

/** The types with their variants, the default one first; those that take `--resources` are marked. */
export function listing(): string {
  const width = Math.max(...SAMPLE_NAMES.map(({ type }) => type.length))
  const lines = SAMPLE_NAMES.map(
    ({ type, variants }) =>
      `  ${type.padEnd(width)} ${TYPES_OF_MANY.includes(type) ? '*' : ' '} ${variants.join(', ')}`
  )
  return [
    'Type, and its variants with the default one first:',
    '',
    ...lines,
    '',
    '* takes --resources N'
  ].join('\n')
}
