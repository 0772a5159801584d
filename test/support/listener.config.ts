import { defineListener, helloWorldTag, lastUpdateTimestamp } from '../../app/listener.ts'

/** Configuration of the processes that tests start. The file in the root is the user's. */
export default defineListener({
  processors: [
    helloWorldTag({ tag: 'Hello World!' }),
    lastUpdateTimestamp({ field: 'last_update_timestamp', watch: ['cms_id'] })
  ]
})
