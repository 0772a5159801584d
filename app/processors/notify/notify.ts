import { z } from 'zod'
import type { Processor } from '../../processor.ts'
import { checkOptions, ON } from '../processor-options.ts'
import { PHONE_NUMBER, publication, textMessage } from './notify-message.ts'
import { printable } from './sns-limits.ts'
import type { Publisher } from './sns-publisher.ts'
import { type Render, TEXT } from './text-template.ts'

/**
 * Attribute names that SNS allows. Names that begin with AWS are reserved, except those for text messages.
 * Source: https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html
 */
const ATTRIBUTE = /^(?!aws\.|amazon\.)(?=.{1,256}$)[\w-]+(?:\.[\w-]+)*$/i
const SMS_ATTRIBUTE =
  /^AWS\.(?:SNS\.SMS\.(?:SenderID|SMSType)|MM\.SMS\.(?:OriginationNumber|EntityId|TemplateId))$/

/** SNS delivers ten attributes with raw messages to SQS, and two are always set. */
const MAX_ATTRIBUTES = 8

const Options = z
  .strictObject({
    name: z.string().default('notify'),
    on: ON,
    text: TEXT,
    /** Subject of e-mails. */
    subject: TEXT.optional(),
    /** (Default: the variable NOTIFY_TOPIC_ARN) */
    topicArn: z
      .string()
      .regex(/^arn:aws[\w-]*:sns:[\w-]+:\d{12}:[\w.-]{1,260}$/, 'must be the ARN of an SNS topic')
      .optional(),
    /** Sends a text message to this number, instead of publishing to a topic. */
    phoneNumber: z
      .custom<string | Render>(
        (value) => typeof value === 'function' || PHONE_NUMBER.test(String(value)),
        'must be a number such as +14155550100, or a function'
      )
      .optional(),
    /** Attributes for subscription filters, beside `type` and `environment`. */
    attributes: z
      .record(z.string(), TEXT)
      .refine((given) => Object.keys(given).every(isAttribute), {
        error: 'a name consists of letters, digits, _, - and dots, and must not begin with AWS.'
      })
      .refine((given) => Object.keys(given).length <= MAX_ATTRIBUTES, `at most ${MAX_ATTRIBUTES} attributes`)
      .default({})
  })
  .refine(({ topicArn, phoneNumber }) => !(topicArn && phoneNumber), {
    error: 'set either `topicArn` or `phoneNumber`, not both'
  })
  .refine(({ subject, phoneNumber }) => !(subject && phoneNumber), {
    path: ['subject'],
    error: 'a text message has no subject'
  })

/** @see notify */
export type NotifyOptions = z.input<typeof Options>

/**
 * Notifies people of uploads through SNS: the subscribers of a topic (e-mail, text message, queue, …), or one
 * phone number by text message. Costs no Cloudinary calls.
 *
 * @throws {ListenerError} LISTENER_CONFIG_INVALID
 */
export function notify(options: NotifyOptions): Processor {
  const { name, on, phoneNumber, attributes, ...checked } = checkOptions('notify', Options, options)
  const needsTopic = !checked.topicArn && !phoneNumber
  let started: { publisher: Publisher; topicArn: string } | undefined
  return {
    name,
    on,
    ...(needsTopic && { requires: ['NOTIFY_TOPIC_ARN'] }),
    async start({ config }) {
      const topicArn = checked.topicArn ?? config.NOTIFY_TOPIC_ARN ?? ''
      const { Publisher } = await import('./sns-publisher.ts')
      const publisher = new Publisher(phoneNumber ? undefined : regionOf(topicArn))
      started = { publisher, topicArn }
      await publisher.checkRegion()
    },
    async check({ config, signal }) {
      if (phoneNumber) {
        return [{ level: 'ok', message: 'text messages not checked: a check would send one' }]
      }
      const topicArn = checked.topicArn ?? config.NOTIFY_TOPIC_ARN!
      const { Publisher } = await import('./sns-publisher.ts')
      const publisher = new Publisher(regionOf(topicArn))
      return [await publisher.checkTopic(topicArn, signal).finally(() => publisher.close())]
    },
    async handle(event, { signal }) {
      const { publisher, topicArn } = started!
      const text = printable(checked.text(event) ?? '')
      if (text.trim() === '') return 'skipped: the text is empty'
      const to = typeof phoneNumber === 'function' ? phoneNumber(event) : phoneNumber
      if (phoneNumber && !to) return 'skipped: no phone number'
      const input = to
        ? textMessage(event, text, { to, attributes })
        : publication(event, text, { topicArn, name, subject: checked.subject, attributes })
      return `published to SNS: message ${await publisher.publish(input, signal)}`
    },
    stop() {
      started?.publisher.close()
    }
  }
}

/** SNS publishes only to topics of its own region. */
const regionOf = (topicArn: string) => topicArn.split(':')[3]

const isAttribute = (name: string) => ATTRIBUTE.test(name) || SMS_ATTRIBUTE.test(name)
