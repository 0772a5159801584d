import { USER_NAME } from '../../app/activity/access.ts'
import type { System } from './system.ts'
import { userServices } from './user-services.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Password of the activity page where the environment has none. */
export const LOCAL_ACTIVITY_PASSWORD = 'local-activity'

const list = new Intl.ListFormat('en-GB')

/** Names the stand-ins and roles that are about to start, for the user. */
export function whatStarts(environment: Environment): string {
  const { ownCloudinary, ownQueue, ownJournal } = userServices(environment)
  const standIns = [
    ...(ownQueue ? [] : ['SQS']),
    ...(ownJournal ? [] : ['DynamoDB']),
    ...(ownCloudinary ? [] : ['Cloudinary'])
  ]
  const roles = ['web', 'worker', ...(environment.POLL_CHANNEL ? ['poll'] : []), 'activity']
  const before = standIns.length > 0 ? `stand-ins for ${list.format(standIns)}, then ` : ''
  return `Starting ${before}${list.format(roles)} …`
}

/**
 * Lists the addresses of the running system and the next steps, for the user.
 *
 * @param environmentFile path of the file by which commands find the embedded services
 */
export function whatNext(
  {
    webhookUrl,
    activityUrl,
    cloudinary,
    hints
  }: Pick<System, 'webhookUrl' | 'activityUrl' | 'cloudinary' | 'hints'>,
  environment: Environment,
  environmentFile: string
): string {
  const addresses = `
The system is running; its log follows. Press Ctrl-C to stop.

  webhook     ${webhookUrl}
  readiness   ${new URL(webhookUrl).origin}/ready
  activity    ${activityUrl}; user name ${USER_NAME}, password ${shownPassword(environment)}`
  if (!cloudinary) return [addresses, ...hints, ownCloudinary(environment, environmentFile)].join('\n')
  const next = [
    [`curl -X POST ${cloudinary.url}/_standin/upload`, 'upload another asset'],
    [
      `npm run send -- upload --url ${webhookUrl}`,
      'send a notification (--list shows the types, --help the errors it can have)'
    ],
    [`npx node --env-file=${environmentFile} app/main.ts doctor`, 'run a command: doctor, changes, …'],
    ['docs/stand-in.md', 'make the stand-in fail, limit calls or lose notifications'],
    [
      `edit ${environment.LISTENER_CONFIG || 'listener.config.ts'}`,
      'change the processors; the worker restarts when you save'
    ]
  ] as const
  const width = Math.max(...next.map(([action]) => action.length))
  const lines = next.map(([action, effect]) => `  ${action.padEnd(width)}   ${effect}`)
  const standIn = `  Cloudinary  ${cloudinary.url} (stand-in); assets: ${cloudinary.url}/_standin/assets`
  return [addresses, ...hints, standIn, '\nNext, in another terminal:', ...lines, ''].join('\n')
}

/**
 * Returns what to show as the password. The user's own password is secret, so only the variable's name is
 * shown.
 */
const shownPassword = ({ ACTIVITY_PASSWORD }: Environment) =>
  ACTIVITY_PASSWORD ? 'as in ACTIVITY_PASSWORD' : LOCAL_ACTIVITY_PASSWORD

/** Proposes a channel with the user's name in it, since two listeners must not share one. */
function ownCloudinary({ POLL_CHANNEL, USER }: Environment, environmentFile: string): string {
  const proposed = `dev-${USER?.replace(/[^\w.-]/g, '') || 'me'}`
  const setup = `npx node --env-file-if-exists=.env app/main.ts setup --poll ${POLL_CHANNEL || proposed}`
  const uploaded = '\nCloudinary is your own; nothing was uploaded to it.\n'
  const commands = `
To run a command on this system (doctor, changes, …), with CLOUDINARY_URL set:

  npx node --env-file-if-exists=.env --env-file=${environmentFile} app/main.ts doctor
`
  if (POLL_CHANNEL) {
    return `${uploaded}The listener polls the channel ${POLL_CHANNEL}. Upload an asset to try it. If no notification arrives,
the channel has no triggers; create them, with CLOUDINARY_URL set:

  ${setup}
${commands}`
  }
  return `${uploaded}Cloudinary cannot send notifications to this machine. Have it keep them in a poll channel, which the
listener polls from here. With CLOUDINARY_URL set:

  ${setup}
  POLL_CHANNEL=${proposed} npm start

Or forward a public address to the webhook above, and pass it to setup with --url.
${commands}`
}
