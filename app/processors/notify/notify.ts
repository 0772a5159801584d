import { z } from 'zod'
import { EVENT_TYPES } from '../../ingest/event.ts'
import type { Processor } from '../../processor.ts'
import { checkOptions } from '../processor-options.ts'
import { PHONE_NUMBER, publication, textMessage } from './notify-message.ts'
import { printable } from './sns-limits.ts'
import { Publisher } from './sns-publisher.ts'
import { type Render, TEXT } from './text-template.ts'

/**
 * Names that SNS takes for attributes; of those that begin with AWS, the ones by which it sends text messages.
 * Source: https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html
 */
const ATTRIBUTE = /^(?!aws\.|amazon\.)(?=.{1,256}$)[\w-]+(?:\.[\w-]+)*$/i
const SMS_ATTRIBUTE =
  /^AWS\.(?:SNS\.SMS\.(?:SenderID|SMSType)|MM\.SMS\.(?:OriginationNumber|EntityId|TemplateId))$/

/** Ten of them reach a queue that takes messages raw, and two are always there. */
const MOST_ATTRIBUTES = 8

const Options = z
  .strictObject({
    name: z.string().default('notify'),
    on: z
      .array(z.enum([...EVENT_TYPES, '*']))
      .min(1)
      .default(['upload']),
    /** What is sent. */
    text: TEXT,
    /** For subscribers by e-mail. */
    subject: TEXT.optional(),
    /** Default: that of the variable NOTIFY_TOPIC_ARN. */
    topicArn: z
      .string()
      .regex(/^arn:aws[\w-]*:sns:[\w-]+:\d{12}:[\w.-]{1,260}$/, 'must be the ARN of an SNS topic')
      .optional(),
    /** Send a text message there, instead of publishing to a topic. */
    phoneNumber: z
      .custom<string | Render>(
        (value) => typeof value === 'function' || PHONE_NUMBER.test(String(value)),
        'must be a number such as +14155550100, or a function'
      )
      .optional(),
    /** By which subscriptions choose, beside `type` and `environment`. */
    attributes: z
      .record(z.string(), TEXT)
      .refine((given) => Object.keys(given).every(isAttribute), {
        error: 'names are letters, digits, _ and -, with dots between; those that begin with AWS. are of SNS'
      })
      .refine(
        (given) => Object.keys(given).length <= MOST_ATTRIBUTES,
        `at most ${MOST_ATTRIBUTES} attributes`
      )
      .default({})
  })
  .refine(({ topicArn, phoneNumber }) => !(topicArn && phoneNumber), {
    error: 'either `topicArn` or `phoneNumber`, not both'
  })
  .refine(({ subject, phoneNumber }) => !(subject && phoneNumber), {
    path: ['subject'],
    error: 'a text message has none'
  })

/** @see notify */
export type NotifyOptions = z.input<typeof Options>

/**
 * Tells people of an upload through SNS: subscribers of a topic by e-mail, text message, or as they like; or one phone number
 * by a text message. Costs no call of Cloudinary.
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
      const publisher = new Publisher(phoneNumber ? undefined : regionOf(topicArn))
      started = { publisher, topicArn }
      await publisher.checkRegion()
    },
    async check({ config, signal }) {
      if (phoneNumber) return [{ level: 'ok', message: 'text messages are not checked: that would send one' }]
      const topicArn = checked.topicArn ?? config.NOTIFY_TOPIC_ARN!
      const publisher = new Publisher(regionOf(topicArn))
      return [await publisher.checkTopic(topicArn, signal).finally(() => publisher.close())]
    },
    async handle(event, { signal }) {
      const { publisher, topicArn } = started!
      const text = printable(checked.text(event) ?? '')
      if (text.trim() === '') return 'skipped: there is no text'
      const to = typeof phoneNumber === 'function' ? phoneNumber(event) : phoneNumber
      if (phoneNumber && !to) return 'skipped: there is no phone number'
      const input = to
        ? textMessage(event, text, { to, attributes })
        : publication(event, text, { topicArn, name, subject: checked.subject, attributes })
      return `sent by SNS as ${await publisher.publish(input, signal)}`
    },
    stop() {
      started?.publisher.close()
    }
  }
}

/** SNS publishes to topics of its own region alone. */
const regionOf = (topicArn: string) => topicArn.split(':')[3]

const isAttribute = (name: string) => ATTRIBUTE.test(name) || SMS_ATTRIBUTE.test(name)
