import type { PublishCommandInput } from '@aws-sdk/client-sns'
import { PermanentError } from '../../errors.ts'
import type { AssetEvent } from '../../ingest/event.ts'
import { messageId } from '../message-id.ts'
import { fitSms, fitSubject, fitTopic, printable } from './sns-limits.ts'
import type { Render } from './text-template.ts'

/** E.164: a plus sign, the country, the number. */
export const PHONE_NUMBER = /^\+[1-9]\d{6,14}$/

type Attributes = NonNullable<PublishCommandInput['MessageAttributes']>

/** What a topic is sent: subscriptions choose by the attributes `type` and `environment`, and by those that are asked for. */
export function publication(
  event: AssetEvent,
  text: string,
  options: {
    topicArn: string
    /** Of the processor. */
    name: string
    subject?: Render | undefined
    attributes: Readonly<Record<string, Render>>
  }
): PublishCommandInput {
  const { topicArn, name, subject, attributes } = options
  const { type, environment } = event
  const given = attributesOf({ type: () => type, environment: () => environment, ...attributes }, event)
  const line = fitSubject(subject?.(event) ?? '')
  return {
    TopicArn: topicArn,
    Message: fitTopic(text, bytesOf(given)),
    MessageAttributes: given,
    ...(line && { Subject: line }),
    ...(topicArn.endsWith('.fifo') && {
      MessageGroupId: event.group,
      MessageDeduplicationId: messageId(event, name)
    })
  }
}

/**
 * What a phone is sent.
 *
 * @throws {PermanentError} NOTIFY_REJECTED for what is no phone number; the error does not repeat it
 */
export function textMessage(
  event: AssetEvent,
  text: string,
  { to, attributes }: { to: string; attributes: Readonly<Record<string, Render>> }
): PublishCommandInput {
  if (!PHONE_NUMBER.test(to)) {
    const why = '`phoneNumber` returned what is no phone number such as +14155550100'
    throw new PermanentError(why, { code: 'NOTIFY_REJECTED' })
  }
  return { PhoneNumber: to, Message: fitSms(text), MessageAttributes: attributesOf(attributes, event) }
}

/** Attributes that have no value are left out: SNS takes none. */
function attributesOf(attributes: Readonly<Record<string, Render>>, event: AssetEvent): Attributes {
  const values = Object.entries(attributes).map(
    ([name, render]) => [name, printable(render(event) ?? '')] as const
  )
  return Object.fromEntries(
    values
      .filter(([, value]) => value !== '')
      .map(([name, value]) => [name, { DataType: 'String', StringValue: value }])
  )
}

function bytesOf(attributes: Attributes): number {
  const parts = Object.entries(attributes).flatMap(([name, { DataType, StringValue }]) => [
    name,
    DataType,
    StringValue
  ])
  return Buffer.byteLength(parts.join(''))
}
