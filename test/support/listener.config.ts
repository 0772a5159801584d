import { defineListener, helloWorldTag, lastUpdateTimestamp } from '../../app/listener.ts'

/** What processes of a test run, whatever is in the file of that name in the root, which is the user's. */
export default defineListener({
  processors: [
    helloWorldTag({ tag: 'Hello World!' }),
    lastUpdateTimestamp({ field: 'last_update_timestamp', watch: ['cms_id'] })
  ]
})
