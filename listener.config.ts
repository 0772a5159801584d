import { defineListener, helloWorldTag, lastUpdateTimestamp } from './app/listener.ts'

export default defineListener({
  processors: [
    // tags every upload
    helloWorldTag({ tag: 'Hello World!' }),
    // writes the time of each change into a metadata field, for `changes`; `setup` creates the field
    lastUpdateTimestamp({ field: 'last_update_timestamp', watch: ['cms_id'] })
    // your own:
    // {
    //   name: 'my-own',
    //   on: ['upload', 'rename'],
    //   async handle(event, { cloudinary, log, signal }) { /* your code */ }
    // }
  ]
})
