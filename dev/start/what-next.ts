import { ownParts, type System } from './system.ts'

type Environment = Readonly<Record<string, string | undefined>>

const list = new Intl.ListFormat('en-GB')

/** What a user is told before anything is up: what is started for these variables. */
export function whatStarts(environment: Environment): string {
  const { ownCloudinary, ownQueue, ownJournal } = ownParts(environment)
  const standIns = [
    ...(ownQueue ? [] : ['SQS']),
    ...(ownJournal ? [] : ['DynamoDB']),
    ...(ownCloudinary ? [] : ['Cloudinary'])
  ]
  const roles = ['web', 'worker', ...(environment.POLL_CHANNEL ? ['poll'] : [])]
  const before = standIns.length > 0 ? `${list.format(standIns)} as stand-ins, ` : ''
  return `Starting ${before}${list.format(roles)} …`
}

/**
 * What a user is told once the system is up: where it is, and what to try.
 *
 * @param environmentFile path of the file by which a command finds what is embedded
 */
export function whatNext(
  { webhookUrl, cloudinary, hints }: Pick<System, 'webhookUrl' | 'cloudinary' | 'hints'>,
  environment: Environment,
  environmentFile: string
): string {
  const addresses = `
It stays up; the log follows. Press Ctrl-C to stop.

  webhook     ${webhookUrl}
  readiness   ${new URL(webhookUrl).origin}/ready`
  if (!cloudinary) return [addresses, ...hints, ownCloudinary(environment, environmentFile)].join('\n')
  const next = [
    [`curl -X POST ${cloudinary.url}/_standin/upload`, 'upload another asset'],
    [
      `npm run send -- upload --url ${webhookUrl}`,
      'send a notification; --list: types, --help: what can be wrong'
    ],
    [`npx node --env-file=${environmentFile} app/main.ts doctor`, 'run a command on it: doctor, changes, …'],
    ['see docs/stand-in.md', 'have the stand-in fail, limit calls or lose notifications'],
    [
      `edit ${environment.LISTENER_CONFIG || 'listener.config.ts'}`,
      'change what it does: the worker restarts when you save'
    ]
  ] as const
  const width = Math.max(...next.map(([action]) => action.length))
  const lines = next.map(([action, effect]) => `  ${action.padEnd(width)}   ${effect}`)
  const standIn = `  Cloudinary  ${cloudinary.url} (stand-in); assets: ${cloudinary.url}/_standin/assets`
  return [addresses, ...hints, standIn, '\nNext, in another terminal:', ...lines, ''].join('\n')
}

/** A channel is one listener's, so the one that is proposed has the user's name in it. */
function ownCloudinary({ POLL_CHANNEL, USER }: Environment, environmentFile: string): string {
  const proposed = `dev-${USER?.replace(/[^\w.-]/g, '') || 'me'}`
  const setup = `npx node --env-file-if-exists=.env app/main.ts setup --poll ${POLL_CHANNEL || proposed}`
  const uploaded = '\nCloudinary is your own, and nothing was uploaded to it.\n'
  const commands = `
Commands on this system (doctor, changes, …), with CLOUDINARY_URL set:

  npx node --env-file-if-exists=.env --env-file=${environmentFile} app/main.ts doctor
`
  if (POLL_CHANNEL) {
    return `${uploaded}Its notifications are fetched from the poll channel ${POLL_CHANNEL}: upload something to it. If nothing comes, the
triggers into that channel are missing; with CLOUDINARY_URL set, this creates them:

  ${setup}
${commands}`
  }
  return `${uploaded}Its notifications cannot reach this machine by themselves. Have Cloudinary keep them in a
poll channel, which is fetched from here; with CLOUDINARY_URL set:

  ${setup}
  POLL_CHANNEL=${proposed} npm start

Or have a public address lead to the webhook above, and give it to setup with --url.
${commands}`
}
