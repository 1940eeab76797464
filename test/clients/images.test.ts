/** Images by URL for a target that takes only bytes: fetched by us, and never from where a caller may not look. */
import { afterAll, beforeEach, expect, test } from 'bun:test'
import { isPublic } from '../../src/upstream/images.ts'
import { startMock } from '../mock/upstream.ts'
import { startGateway } from '../support/gateway.ts'

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==',
  'base64',
)
let asked: string[] = []
const pictures = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  async fetch(request) {
    const { pathname } = new URL(request.url)
    asked.push(pathname)
    if (pathname === '/redirect') return Response.redirect('http://127.0.0.1:1/x', 302)
    if (pathname === '/page') return new Response('<html>', { headers: { 'content-type': 'text/html' } })
    if (pathname === '/big')
      return new Response(new Uint8Array(3 * 1024 * 1024), { headers: { 'content-type': 'image/png' } })
    if (pathname === '/gone') return new Response('no', { status: 404 })
    return new Response(PNG, { headers: { 'content-type': 'image/png' } })
  },
})
const host = `127.0.0.1:${pictures.port}`
const mock = await startMock()
const model_list = [{ model_name: 'eye', litellm_params: { model: 'ollama/eye', api_base: mock.url } }]
const open = await startGateway({ yaml: { model_list, tollgate: { image_hosts: [host], image_max_mb: 2 } } })
const shut = await startGateway({ yaml: { model_list } })
beforeEach(() => {
  asked = []
})
afterAll(async () => {
  await Promise.all([open.stop(), shut.stop(), mock.stop(), pictures.stop(true)])
})

const look = (gateway: typeof open, ...urls: string[]) =>
  gateway.call('POST', '/v1/chat/completions', {
    model: 'eye',
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'what is it?' },
          ...urls.map((url) => ({ type: 'image_url', image_url: { url } })),
        ],
      },
    ],
  })
const sent = () =>
  (mock.requests.at(-1)?.body as { messages?: { images?: string[] }[] } | undefined)?.messages?.at(-1)?.images

test('an image is fetched and put in its place', async () => {
  expect((await look(open, `http://${host}/a.png`, `http://${host}/a.png`)).status).toBe(200)
  expect(sent()).toEqual([PNG.toString('base64'), PNG.toString('base64')])
  expect(asked).toEqual(['/a.png'])
})

test('what is no image, too large, gone or elsewhere is refused, and no upstream is asked', async () => {
  const before = mock.requests.length
  for (const path of ['/redirect', '/page', '/big', '/gone']) {
    const refused = await look(open, `http://${host}${path}`)
    expect(refused.status).toBe(400)
    expect(((await refused.json()) as { error: { param: string } }).error.param).toBe('messages')
  }
  for (const url of [
    'ftp://example.com/x',
    'http://user:pw@example.com/x',
    'file:///etc/passwd',
    'http://no-such-host.invalid/x',
  ])
    expect((await look(open, url)).status).toBe(400)
  expect((await look(open, ...Array.from({ length: 17 }, (_, i) => `http://${host}/${i}`))).status).toBe(400)
  expect(mock.requests.length).toBe(before)
})

test('private addresses are not asked unless they are named, whatever way they are written', async () => {
  const port = pictures.port
  for (const name of [
    '127.0.0.1',
    'localhost',
    '0x7f000001',
    '2130706433',
    '0.0.0.0',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '127.1',
  ])
    expect((await look(shut, `http://${name}:${port}/secret`)).status).toBe(400)
  expect(asked).toEqual([])
})

test('which addresses are public', () => {
  for (const address of [
    '10.0.0.1',
    '172.16.3.4',
    '192.168.1.1',
    '169.254.169.254',
    '127.0.0.1',
    '0.0.0.0',
    '100.64.0.1',
    '::1',
    'fe80::1',
    'fc00::1',
    '::ffff:10.0.0.1',
    '224.0.0.1',
    'nonsense',
  ])
    expect({ address, open: isPublic(address) }).toEqual({ address, open: false })
  for (const address of ['1.1.1.1', '2606:4700:4700::1111']) expect(isPublic(address)).toBe(true)
})
