import { defineListener, helloWorldTag, lastUpdateTimestamp } from './app/listener.ts'

export default defineListener({
  processors: [
    // tags every upload
    helloWorldTag({ tag: 'Hello World!' }),
    // stamps every asset that changes, for others to poll (`changes`); `setup` creates the metadata field
    lastUpdateTimestamp({ field: 'last_update_timestamp', watch: ['cms_id'] })
    // your own:
    // {
    //   name: 'my-own',
    //   on: ['upload', 'rename'],
    //   async handle(event, { cloudinary, log, signal }) { /* your code */ }
    // }
  ]
})
