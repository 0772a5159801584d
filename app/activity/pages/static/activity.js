// Adds live rows, keyboard shortcuts and copying to the pages. They also work without JavaScript.

const $ = (id) => document.getElementById(id)
const all = (selector, within = document) => [...within.querySelectorAll(selector)]

/* times */

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's']
]

const relative = (at, now) => {
  const distance = Math.abs(now - at)
  if (distance < 1000) return 'now'
  const [size, unit] = UNITS.find(([size]) => distance >= size)
  const amount = `${Math.floor(distance / size)} ${unit}`
  return at > now ? `in ${amount}` : `${amount} ago`
}

const updateTimes = () => {
  for (const time of all('time')) {
    const at = Date.parse(time.dateTime)
    // old dates do not change
    if (Math.abs(Date.now() - at) < 7 * 86_400_000) time.textContent = relative(at, Date.now())
  }
}

setInterval(() => document.hidden || updateTimes(), 5000)

/* remove images that fail to load, so that the box behind them shows */

const hideBroken = (image) => {
  image.hidden = true
}
document.addEventListener('error', ({ target }) => target.matches?.('.thumb img') && hideBroken(target), true)
for (const image of all('.thumb img')) if (image.complete && image.naturalWidth === 0) hideBroken(image)

/* copying */

for (const button of all('[data-copy]')) {
  button.hidden = !navigator.clipboard
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText($(button.dataset.copy).textContent)
    button.textContent = 'Copied'
    setTimeout(() => {
      button.textContent = 'Copy'
    }, 1500)
  })
}

/* selection */

const boxes = () => all('#rows input[name="id"]')
const selectAll = $('select-all')

const showSelection = () => {
  const count = boxes().filter((box) => box.checked).length
  const shown = $('selected')
  if (shown) {
    shown.textContent = count > 0 ? `(${count})` : ''
    shown.hidden = count === 0
    for (const button of all('button', shown.closest('form'))) button.disabled = count === 0
  }
  if (selectAll) {
    selectAll.checked = count > 0 && count === boxes().length
    selectAll.indeterminate = count > 0 && !selectAll.checked
  }
}

if (selectAll) {
  selectAll.hidden = false
  selectAll.addEventListener('change', () => {
    for (const box of boxes()) box.checked = selectAll.checked
    showSelection()
  })
}
$('rows')?.addEventListener('change', showSelection)
showSelection()

/* keys */

const dialog = $('keys')
const keysButton = $('keys-button')
keysButton.hidden = false
keysButton.addEventListener('click', () => dialog.showModal())

const rows = () => all('.row')
const currentRow = () => document.activeElement?.closest?.('.row')

const move = (step) => {
  const list = rows()
  const current = currentRow()
  const index = current ? list.indexOf(current) + step : 0
  const row = list[Math.max(0, Math.min(list.length - 1, index))]
  row?.querySelector('.words').focus()
  row?.scrollIntoView({ block: 'nearest' })
}

const replay = () => {
  const form = $('selection')
  if (form && boxes().some((box) => box.checked)) return form.requestSubmit()
  const row = currentRow()
  const link = document.querySelector('[data-key="r"]')
  if (row) location.href = `/activity/replays/new?id=${encodeURIComponent(row.dataset.id)}`
  else if (link) location.href = link.href
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  x: () => currentRow()?.querySelector('input[name="id"]')?.click(),
  r: replay,
  n: () => $('fresh')?.querySelector('button')?.click(),
  '/': () => document.querySelector('.filters input')?.focus(),
  '?': () => dialog.showModal()
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || dialog.open) return
  if (event.target.matches('input:not([type="checkbox"]), select, textarea')) {
    if (event.key === 'Escape') event.target.blur()
    return
  }
  if (!Object.hasOwn(KEYS, event.key)) return
  event.preventDefault()
  KEYS[event.key]()
})

/* progress of a replay */

const fetchPage = async (path) => {
  const response = await fetch(path, { credentials: 'same-origin' })
  if (!response.ok) throw new Error(`status ${response.status}`)
  return new DOMParser().parseFromString(await response.text(), 'text/html')
}

const followProgress = () => {
  const shown = $('progress')
  if (!shown?.dataset.refresh) return
  setTimeout(async () => {
    try {
      const page = await fetchPage(location.href)
      const next = page.getElementById('progress')
      const stop = shown.querySelector('form button') === document.activeElement
      document.title = page.title
      shown.replaceWith(next)
      if (stop) next.querySelector('button, a')?.focus()
    } catch {
      // the next poll may succeed
    }
    followProgress()
  }, Number(shown.dataset.refresh))
}
followProgress()

/* live rows */

const events = document.querySelector('[data-stream]')

const watch = (list) => {
  const live = $('live')
  const bar = $('fresh')
  const follow = $('follow')
  const rowsPath = events.dataset.rows
  const fresh = new Set()
  const changed = new Set()
  let lastId
  let source
  let isReset = false
  let timer

  const show = (text, state) => {
    live.hidden = false
    live.className = `live ${state}`
    if (live.textContent !== text) live.textContent = text
  }

  const load = async (ids) => {
    const query = new URLSearchParams([...ids].slice(0, 100).map((id) => ['id', id]))
    return all('.row', await fetchPage(`${rowsPath}?${query}`))
  }

  const rowOf = (id) => list.querySelector(`[data-id="${CSS.escape(id)}"]`)

  const replaceRow = (row, next) => {
    const focused = row.contains(document.activeElement)
    const box = row.querySelector('input[name="id"]')
    const nextBox = next.querySelector('input[name="id"]')
    if (box && nextBox) nextBox.checked = box.checked
    const [image, nextImage] = [row.querySelector('img'), next.querySelector('img')]
    // do not load the row again
    if (image && image.src === nextImage?.src) nextImage.replaceWith(image)
    const same = document.activeElement === box ? nextBox : next.querySelector('.words')
    row.replaceWith(next)
    if (focused) same.focus({ preventScroll: true })
  }

  const receivedAt = (row) => row.querySelector('.when time').dateTime

  const insert = (row) => {
    row.classList.add('new')
    const below = all('.row', list).find((each) => receivedAt(each) <= receivedAt(row))
    list.insertBefore(row, below ?? null)
  }

  const showFresh = async () => {
    // more rows than fit on a page, or missed messages
    if (isReset || fresh.size > 100) return location.assign(location.href)
    const ids = [...fresh]
    const added = await load(ids)
    for (const id of ids) fresh.delete(id)
    for (const row of added) {
      const there = rowOf(row.dataset.id)
      if (there) replaceRow(there, row)
      else insert(row)
    }
    const hadFocus = bar.contains(document.activeElement)
    showBar()
    document.querySelector('.events .empty')?.remove()
    showSelection()
    if (hadFocus) list.querySelector('.words')?.focus()
  }

  const showBar = () => {
    let button = bar.querySelector('button')
    if (fresh.size === 0 && !isReset) return button?.remove()
    if (!button) {
      button = document.createElement('button')
      button.type = 'button'
      button.addEventListener('click', () => showFresh().catch(() => location.reload()))
      bar.append(button)
    }
    const text = isReset ? 'New events: load the list again' : `${fresh.size} new`
    if (button.textContent !== text) button.textContent = text
  }

  const flush = async () => {
    clearTimeout(timer)
    timer = undefined
    const ids = [...changed]
    changed.clear()
    if (ids.length > 0) {
      const next = await load(ids).catch(() => [])
      for (const row of next) {
        const there = rowOf(row.dataset.id)
        if (there) replaceRow(there, row)
      }
    }
    if (follow.checked && fresh.size > 0 && !isReset) await showFresh().catch(() => {})
    showBar()
  }

  const soon = () => {
    if (timer === undefined) timer = setTimeout(flush, 250)
  }

  const onEvent = ({ data, lastEventId }) => {
    lastId = lastEventId
    const event = JSON.parse(data)
    if (rowOf(event.id)) changed.add(event.id)
    else if (event.receivedAt >= oldestShown) fresh.add(event.id)
    soon()
  }

  // older events belong on a later page
  const lastRow = document.querySelector('.pager [rel="next"]') && all('.row', list).at(-1)
  const oldestShown = lastRow ? receivedAt(lastRow) : ''

  const open = () => {
    const url = new URL(events.dataset.stream, location.href)
    if (lastId) url.searchParams.set('lastEventId', lastId)
    source = new EventSource(url)
    source.addEventListener('open', () => show('Live', 'on'))
    source.addEventListener('message', onEvent)
    source.addEventListener('reset', ({ lastEventId }) => {
      lastId = lastEventId
      isReset = true
      soon()
    })
    source.addEventListener('error', () => {
      show('Reconnecting', 'lost')
      if (source.readyState !== EventSource.CLOSED) return
      // the server refused the stream: the browser does not reconnect
      setTimeout(() => document.hidden || open(), 10_000)
    })
  }

  const close = () => {
    source?.close()
    show('Paused', '')
  }

  document.addEventListener('visibilitychange', () => {
    if (document.hidden) close()
    else {
      open()
      updateTimes()
    }
  })
  follow.closest('label').hidden = false
  follow.checked = sessionStorage.getItem('follow') === 'yes'
  follow.addEventListener('change', () => {
    sessionStorage.setItem('follow', follow.checked ? 'yes' : 'no')
    if (follow.checked) soon()
  })
  if (!document.hidden) open()
}

if (events) watch($('rows'))
