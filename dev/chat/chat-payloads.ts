import { z } from 'zod'

/** A part of a message, as the page shows it. */
export interface ShownItem {
  /** Lines of text, in which Slack's links and entities are decoded. */
  lines: string[]
  details: string
  thumbnail?: string | undefined
  link?: string | undefined
}

/** A message that was received and is valid. */
export interface ReceivedMessage {
  receivedAt: string
  service: 'Slack' | 'Teams'
  items: ShownItem[]
  payload: unknown
}

const webUrl = z.url({ protocol: /^https?$/ }).max(3000)

const text = z.looseObject({ type: z.enum(['mrkdwn', 'plain_text']), text: z.string().min(1).max(3000) })

const section = z.looseObject({
  type: z.literal('section'),
  text,
  accessory: z
    .looseObject({
      type: z.literal('image'),
      image_url: webUrl,
      alt_text: z.string().min(1).max(2000)
    })
    .optional()
})

const context = z.looseObject({ type: z.literal('context'), elements: z.array(text).min(1).max(10) })

/** The part of Block Kit that messages of `chat` use. Source: https://docs.slack.dev/reference/block-kit/blocks */
const SlackPayload = z.looseObject({
  text: z.string().min(1).max(40_000),
  blocks: z
    .array(z.discriminatedUnion('type', [section, context]))
    .min(1)
    .max(50)
})

const richText = z.looseObject({
  type: z.literal('RichTextBlock'),
  inlines: z.array(z.looseObject({ type: z.literal('TextRun'), text: z.string().min(1) })).min(1)
})

const image = z.looseObject({ type: z.literal('Image'), url: webUrl, altText: z.string() })

const actions = z.looseObject({
  type: z.literal('ActionSet'),
  actions: z
    .array(z.looseObject({ type: z.literal('Action.OpenUrl'), title: z.string().min(1), url: webUrl }))
    .min(1)
})

const columns = z.looseObject({
  type: z.literal('ColumnSet'),
  columns: z
    .array(
      z.looseObject({
        type: z.literal('Column'),
        items: z.array(z.discriminatedUnion('type', [richText, image, actions])).min(1)
      })
    )
    .min(1)
})

/** The part of an Adaptive Card that messages of `chat` use. Source: https://adaptivecards.io/explorer/ */
const TeamsPayload = z.looseObject({
  type: z.literal('message'),
  attachments: z
    .array(
      z.looseObject({
        contentType: z.literal('application/vnd.microsoft.card.adaptive'),
        content: z.looseObject({
          type: z.literal('AdaptiveCard'),
          version: z.string().regex(/^1\.[0-5]$/),
          body: z.array(columns).min(1)
        })
      })
    )
    .length(1)
})

/** Source: https://learn.microsoft.com/en-us/connectors/teams/ (message size limit) */
const TEAMS_BYTES = 28_000

const problemOf = (schema: z.ZodType, payload: unknown): string | undefined => {
  const issue = schema.safeParse(payload).error?.issues[0]
  return issue && `${issue.path.join('.')}: ${issue.message}`
}

/** Returns why Slack would reject a message; undefined if it would not. */
export const slackProblem = (payload: unknown): string | undefined => problemOf(SlackPayload, payload)

/** Returns why Teams would not show a message; undefined if it would. */
export const teamsProblem = (payload: unknown): string | undefined =>
  Buffer.byteLength(JSON.stringify(payload)) > TEAMS_BYTES
    ? `larger than ${TEAMS_BYTES} bytes`
    : problemOf(TeamsPayload, payload)

/** Returns the items of a valid Slack message. */
export function shownBySlack(payload: unknown): ShownItem[] {
  const { blocks } = SlackPayload.parse(payload)
  const items: ShownItem[] = []
  for (const block of blocks) {
    if (block.type === 'section') {
      const lines = decode(block.text.text).split('\n')
      items.push({ lines, details: '', thumbnail: block.accessory?.image_url })
      continue
    }
    const item = items.at(-1)
    const footer = block.elements.map((element) => element.text).join(' ')
    const link = /<([^|>]+)\|[^>]*>/.exec(footer)?.[1]
    if (item) {
      item.details = decode(footer.replace(/ · <[^>]*>$/, ''))
      item.link = link && decode(link)
    }
  }
  return items
}

/** Returns the items of a valid message of Teams. */
export function shownByTeams(payload: unknown): ShownItem[] {
  const [{ content }] = TeamsPayload.parse(payload).attachments as [
    z.output<typeof TeamsPayload>['attachments'][number]
  ]
  return content.body.map((row) => {
    const parts = row.columns.flatMap((column) => column.items)
    const texts = parts.flatMap((part) =>
      part.type === 'RichTextBlock' ? part.inlines.map((run) => run.text).join('') : []
    )
    return {
      lines: texts.slice(0, -1),
      details: texts.at(-1) ?? '',
      thumbnail: parts.find((part) => part.type === 'Image')?.url,
      link: parts.find((part) => part.type === 'ActionSet')?.actions[0]?.url
    }
  })
}

const decode = (text: string): string =>
  text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
