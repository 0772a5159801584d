/** Advice on errors, by code. */
const ADVICE: Readonly<Record<string, string>> = {
  CLOUDINARY_UNAUTHORIZED:
    'Cloudinary refuses the API key or its permissions. Check the secret, then replay.',
  CLOUDINARY_NOT_FOUND:
    'The asset was deleted or renamed. Check its history; usually there is nothing to fix.',
  CLOUDINARY_RATE_LIMITED:
    'Cloudinary limits the number of calls. Nothing to do: it is retried when the limit resets.',
  CLOUDINARY_UNAVAILABLE: 'Cloudinary failed. Nothing to do while it is retried; replay it if it is dead.',
  CLOUDINARY_UNREACHABLE: 'Cloudinary did not answer. Check the network, proxy and DNS; it is retried.',
  CLOUDINARY_ABORTED: 'A timeout of the processor or a shutdown cancelled the call. It is retried.',
  CLOUDINARY_REJECTED:
    'Cloudinary rejects the request. Read the message, fix the processor or the asset, then replay.',
  CLOUDINARY_DOWN:
    'The circuit breaker is open: Cloudinary is failing or limits calls. Nothing to do: attempts wait until it recovers.',
  CLOUDINARY_ANSWER_INVALID:
    'The response is not in the documented format. Check upload_prefix and proxies; it is retried.',
  CLOUDINARY_ALLOWANCE_SPENT:
    'Most Admin API calls of this hour are used. Nothing to do: it is retried when the limit resets.',
  PROCESSOR_TIMEOUT: 'The processor timed out. Make it faster or raise its timeout, then replay.',
  WHEN_INVALID: "The processor's `when` failed. Fix it in listener.config.ts, deploy, then replay.",
  ENVIRONMENT_AMBIGUOUS: 'Several environments have this name. Fix the secret, then replay.',
  STAMP_LOOP:
    'The processor stopped to avoid a loop of its own changes. Check which fields it watches, then replay.',
  FORWARD_REJECTED: 'The receiver rejects the request. Fix the receiver or its URL, then replay.',
  FORWARD_UNAVAILABLE: 'The receiver failed or did not answer. Fix it; the event is retried.',
  FORWARD_UNMAPPABLE: 'The event could not be mapped to a request. Fix the mapping, then replay.',
  NOTIFY_REJECTED: 'The topic rejects the message. Check its ARN and the message, then replay.',
  NOTIFY_UNAUTHORIZED: 'The worker may not publish to the topic. Fix its permissions; the event is retried.',
  NOTIFY_UNAVAILABLE: 'SNS did not answer. Check SNS and the network; it is retried.',
  CHAT_REJECTED: 'Slack or Teams rejects the message. Check the URL of the webhook, then replay.',
  CHAT_UNAVAILABLE: 'Slack or Teams failed, did not answer or limits messages. It is retried.',
  PUBLISH_INVALID:
    'A function of `publish` returned an invalid value. Fix it in listener.config.ts, then replay.',
  PUBLISH_REJECTED: 'The hook or CloudFront rejects the request. Read the message, fix it, then replay.',
  PUBLISH_UNAUTHORIZED:
    'The worker may not invalidate paths of the distribution. Fix its permissions; the event is retried.',
  PUBLISH_UNAVAILABLE: 'The hook or the CDN failed, did not answer or limits calls. It is retried.',
  CMS_UNAVAILABLE: 'The CMS failed, did not answer or limits calls. It is retried.',
  CMS_CONFLICT: 'Somebody changed the entry at the same time. Nothing to do: it is retried.',
  CMS_UNAUTHORIZED: 'The CMS refuses the token or its permissions. Replace the token; the event is retried.',
  CMS_NOT_FOUND: 'The CMS has no such space, environment or dataset. Check the options, then replay.',
  CMS_REJECTED: 'The CMS rejects the change. Check content types and fields, then replay.',
  CMS_ENTRIES_LEFT: 'Very many entries hold the asset. Nothing to do: the next attempt continues.',
  MODERATE_NOT_MOVED: 'Cloudinary did not move the asset. Use another way of quarantine, then replay.',
  MODERATE_RECORD_INVALID: 'The record of the quarantine is damaged. Restore the asset by hand.',
  MODERATE_RECORD_CUT:
    'Cloudinary stored only a part of the record. Restore the asset by hand when it is approved.',
  EXPIRE_NOT_MOVED: 'Cloudinary did not move the asset. Use another action, then replay.',
  ARCHIVE_UNAUTHORIZED: 'The worker may not write to the bucket. Fix its permissions; the event is retried.',
  ARCHIVE_UNAVAILABLE: 'S3 failed, did not answer or limits calls. It is retried.',
  ARCHIVE_REJECTED: 'S3 rejects the object. Check the name and region of the bucket, then replay.',
  EVENT_BRIDGE_UNAUTHORIZED:
    'The worker may not put events on the bus. Fix its permissions; the event is retried.',
  EVENT_BRIDGE_UNAVAILABLE: 'EventBridge failed, did not answer or limits calls. It is retried.',
  EVENT_BRIDGE_REJECTED: 'EventBridge rejects the event. Check the name of the bus, then replay.',
  DATABASE_UNAVAILABLE:
    'The database does not answer or refuses the login. Check DATABASE_URL; it is retried.',
  DATABASE_CONFLICT: 'Another transaction wrote the same rows. Nothing to do: it is retried.',
  DATABASE_LOCKED:
    'A session holds a lock on the table. End the session that the message names; it is retried.',
  DATABASE_NOT_MIGRATED: 'The table or a column is missing. Run `migrate`; it is retried.',
  DATABASE_TABLE_CONFLICT:
    'The table does not have the columns that the listener needs. Do what the message says.',
  DATABASE_REJECTED: 'The database rejects the row. Fix the table or the columns, then replay.',
  VIDEO_TRANSFORMATION_FAILED:
    'Cloudinary could not transform the video. Check the transformation and the source, then replay.',
  CSV_ENCODING_INVALID: 'The file is not UTF-8. Convert it and upload it again.',
  CSV_HEADER_INVALID: 'The header of the file does not match the columns. Fix the file and upload it again.',
  CSV_OUTCOMES_FORGOTTEN:
    'The journal no longer has the outcomes of the first rows. Split the file and upload the parts.',
  CSV_NOT_THERE_YET: 'The file cannot be downloaded yet. It is retried.',
  RETRY_LATER: 'The processor asked to run again later. Nothing to do.',
  PERMANENT: 'The processor says that this cannot succeed. Read the message, fix the cause, then replay.'
}

/** Returns the advice on an error. */
export const adviceOn = (code: string, isDead: boolean): string =>
  (Object.hasOwn(ADVICE, code) ? ADVICE[code] : undefined) ??
  (isDead
    ? 'It is not retried automatically. Read the message, fix the cause, then replay.'
    : 'It is retried automatically. Read the message if it keeps failing.')
