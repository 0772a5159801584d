import type { ChatItem } from './chat-message.ts'

/** A message for the trigger "When a Teams webhook request is received" of Workflows. */
export interface TeamsMessage {
  type: 'message'
  attachments: {
    contentType: 'application/vnd.microsoft.card.adaptive'
    content: { type: 'AdaptiveCard'; $schema: string; version: string; body: object[] }
  }[]
}

/**
 * Builds an Adaptive Card. A rich text block shows text as it is; a text block would read Markdown and dates
 * in it.
 *
 * Source: https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
 */
export function teamsMessage(items: readonly ChatItem[]): TeamsMessage {
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        content: {
          type: 'AdaptiveCard',
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          version: '1.4',
          body: items.map(columnsOf)
        }
      }
    ]
  }
}

function columnsOf({ text, details, thumbnail, link }: ChatItem, index: number): object {
  return {
    type: 'ColumnSet',
    separator: index > 0,
    columns: [
      {
        type: 'Column',
        width: 'stretch',
        items: [
          ...text
            .split('\n')
            .filter((line) => line !== '')
            .map((line) => richText({ text: line })),
          richText({ text: details, size: 'Small', isSubtle: true }),
          ...(link
            ? [
                {
                  type: 'ActionSet',
                  actions: [{ type: 'Action.OpenUrl', title: 'Open', url: link }]
                }
              ]
            : [])
        ]
      },
      ...(thumbnail
        ? [
            {
              type: 'Column',
              width: 'auto',
              items: [{ type: 'Image', url: thumbnail, altText: details, size: 'Medium' }]
            }
          ]
        : [])
    ]
  }
}

const richText = (run: { text: string; size?: string; isSubtle?: boolean }) => ({
  type: 'RichTextBlock',
  inlines: [{ type: 'TextRun', ...run }]
})
