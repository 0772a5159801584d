/** What to do about an error of a processor, by its code. */
const ADVICE: Readonly<Record<string, string>> = {
  CLOUDINARY_UNAUTHORIZED:
    'Cloudinary refuses the API key or its permissions. Check the secret, then replay.',
  CLOUDINARY_NOT_FOUND:
    'The asset did not exist any more, or has another name now. Look at its history; there is mostly nothing to repair.',
  CLOUDINARY_RATE_LIMITED:
    'Cloudinary limits calls until its counters start anew. Nothing to do: the attempt is repeated after that.',
  CLOUDINARY_UNAVAILABLE: 'Cloudinary failed. Nothing to do while it is retried; replay once it is dead.',
  CLOUDINARY_UNREACHABLE:
    'There was no answer from Cloudinary. Check the way out (network, proxy, DNS); it is retried.',
  CLOUDINARY_ABORTED: 'The call was stopped, by the time-out of the processor or a shutdown. It is retried.',
  CLOUDINARY_REJECTED:
    'Cloudinary refuses the request as it is. Read the message, correct the processor or the asset, then replay.',
  CLOUDINARY_DOWN:
    'Cloudinary was not called, since it fails or limits calls. Nothing to do: attempts wait until it answers.',
  CLOUDINARY_ANSWER_INVALID:
    'Cloudinary, or a proxy before it, answers in another form. Check upload_prefix and the proxies; it is retried.',
  CLOUDINARY_ALLOWANCE_SPENT:
    'Most Admin API calls of this hour are spent. Nothing to do: it is retried when there are calls again.',
  PROCESSOR_TIMEOUT: 'The processor took too long. Make it faster or its time-out longer, then replay.',
  WHEN_INVALID: "The processor's `when` failed. Correct it in listener.config.ts, deploy, then replay.",
  ENVIRONMENT_AMBIGUOUS: 'Several environments have this name. Correct the secret, then replay.',
  STAMP_LOOP:
    'The processor stopped, since its own change would cause the next one. Check which fields it watches, then replay.',
  FORWARD_REJECTED: 'The receiver refuses the request. Correct the receiver or its address, then replay.',
  FORWARD_UNAVAILABLE: 'The receiver failed or did not answer. It is retried; repair the receiver.',
  FORWARD_UNMAPPABLE: 'The event could not be made into a request. Correct the mapping, then replay.',
  NOTIFY_REJECTED: 'The channel refuses the message. Check its address and its permissions, then replay.',
  NOTIFY_UNAUTHORIZED: 'The worker may not publish to the topic. Correct its permissions; it is retried.',
  NOTIFY_UNAVAILABLE: 'The topic did not answer. It is retried; check SNS and the way to it.',
  DATABASE_UNAVAILABLE:
    'The database does not answer or refuses the login. Check DATABASE_URL; it is retried.',
  DATABASE_CONFLICT: 'Another transaction wrote the same rows. Nothing to do: it is retried.',
  DATABASE_LOCKED:
    'A session holds a lock on the table. End the session that the message names; it is retried.',
  DATABASE_NOT_MIGRATED: 'The table or a column is missing. Run `migrate`; it is retried.',
  DATABASE_TABLE_CONFLICT: 'The table has other columns than the listener needs. Do what the message says.',
  DATABASE_REJECTED: 'The database refuses the row. Correct the table or the columns, then replay.',
  VIDEO_TRANSFORMATION_FAILED:
    'Cloudinary could not make the video. Look at the transformation and the source, then replay.',
  CSV_ENCODING_INVALID: 'The file is not UTF-8. Upload it anew in UTF-8: that is an event of its own.',
  CSV_HEADER_INVALID: "The file's header does not fit the columns. Correct the file and upload it anew.",
  CSV_OUTCOMES_FORGOTTEN:
    'The file took longer than the journal keeps outcomes. Split it, and upload the parts.',
  CSV_NOT_THERE_YET: 'The file cannot be downloaded yet. It is retried.',
  RETRY_LATER: 'The processor asked to run again later. Nothing to do.',
  PERMANENT:
    'The processor says that this cannot succeed as it is. Read the message, correct the cause, then replay.'
}

/** What to do about an error, in a sentence or two. */
export const adviceOn = (code: string, isDead: boolean): string =>
  (Object.hasOwn(ADVICE, code) ? ADVICE[code] : undefined) ??
  (isDead
    ? 'It is not tried again by itself. Read the message, correct the cause, then replay.'
    : 'It is tried again by itself. Read the message if it keeps failing.')
