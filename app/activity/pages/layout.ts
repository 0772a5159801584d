import { type Content, type Html, html } from './html.ts'

export interface PageOptions {
  title: string
  /** The page to mark as current in the header. */
  section?: 'events' | 'failures' | 'repairs' | 'refused'
  /** Time until a browser without JavaScript reloads the page, in seconds. */
  refreshSeconds?: number
  main: Content
}

const SECTIONS = [
  { section: 'events', path: '/activity', title: 'Events' },
  { section: 'failures', path: '/activity/failures', title: 'Failures' },
  { section: 'repairs', path: '/activity/repairs', title: 'Repairs' },
  { section: 'refused', path: '/activity/refused', title: 'Refused' }
] as const

const KEYS = [
  ['j', 'next event'],
  ['k', 'previous event'],
  ['Enter', 'open the event'],
  ['x', 'select the event'],
  ['r', 'replay the selected events, or this one'],
  ['n', 'show new events'],
  ['/', 'filter'],
  ['?', 'show these keys']
] as const

/** Renders a complete page. The content security policy forbids inline scripts and styles. */
export function page({ title, section, refreshSeconds, main }: PageOptions): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
${refreshSeconds !== undefined && html`<noscript><meta http-equiv="refresh" content="${refreshSeconds}"></noscript>`}
<title>${title} · Listener activity</title>
<link rel="icon" href="/activity/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/activity/activity.css">
<script src="/activity/activity.js" type="module"></script>
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header class="top">
<a class="brand" href="/activity"><svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true"><path d="M2 12h5l2.5-7 5 14 2.5-7h5"></path></svg>Listener activity</a>
<nav aria-label="Pages">${SECTIONS.map(
    (each) =>
      html`<a href="${each.path}"${each.section === section && html` aria-current="page"`}>${each.title}</a>`
  )}</nav>
<span class="live" id="live" role="status" hidden></span>
<button class="quiet keys-button" id="keys-button" type="button" hidden aria-haspopup="dialog">Keys <kbd>?</kbd></button>
</header>
<main id="main" tabindex="-1">
${main}
</main>
<dialog id="keys" aria-labelledby="keys-title"><h2 id="keys-title">Keys</h2>
<dl>${KEYS.map(([key, does]) => html`<div><dt><kbd>${key}</kbd></dt><dd>${does}</dd></div>`)}</dl>
<form method="dialog"><button type="submit">Close</button></form></dialog>
</body>
</html>
`
}
