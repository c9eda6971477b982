import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { connect } from 'node:tls'
import { test } from 'tap'
import { manifestOf, partPath } from '../support/exchange.ts'
import { until } from '../support/until.ts'
import { type HttpStage, keysPart, openDelivery, startHttpStage, tablePart } from './stage.ts'

const partBytesMax = 256 * 1024 * 1024
const digestOf = (bytes: Buffer): Record<string, string> => ({
  'content-digest': `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`,
})

test('uploads that are not what they say', async (t) => {
  const stage = await startHttpStage(t)
  const { service, other } = stage
  const delivery = await openDelivery(other)
  const keys = keysPart(10)
  const path = partPath(delivery, keys)
  const vault = (): string[] =>
    readdirSync(join(service.home, 'vault'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name)

  await t.test('a media type that is not said once and exactly is 415', async (t) => {
    for (const type of [
      'Text/CSV',
      'text/csv;',
      'text/csv;x',
      'text/csv x',
      'text/\tcsv',
      'text',
    ]) {
      const answer = await other.put(path, keys.bytes, { 'content-type': type })
      t.match(answer, { status: 415, body: { type: /:media-type-unknown$/ } }, type)
    }
    for (const coding of ['gzip', 'GZIP', 'identity']) {
      const answer = await other.put(path, keys.bytes, { 'content-encoding': coding })
      t.equal(answer.status, 415, coding)
    }
    t.same(vault(), [], 'nothing was stored')
  })

  await t.test(
    'bytes that differ from the digest announced are 422 and leave nothing',
    async (t) => {
      const wrong = digestOf(Buffer.from('other bytes'))
      t.match(await other.put(path, keys.bytes, wrong), {
        status: 422,
        body: { type: /:digest-differs$/ },
      })
      const unreadable = { 'content-digest': 'sha-256=:????:' }
      t.equal((await other.put(path, keys.bytes, unreadable)).status, 400)
      t.same(vault(), [])
    },
  )

  await t.test('an unknown table, another agency’s table and a number out of range', async (t) => {
    for (const table of ['nothing', 'cases', '..%2Fcases', "a'--", 'VISITS']) {
      const answer = await other.put(`/v1/deliveries/${delivery}/tables/${table}/1`, keys.bytes)
      t.ok([400, 404].includes(answer.status), `${table}: ${answer.status}`)
    }
    for (const number of ['0', '-1', '1.5', '100000', 'x']) {
      t.equal(
        (await other.put(`/v1/deliveries/${delivery}/keys/${number}`, keys.bytes)).status,
        400,
      )
    }
    t.same(vault(), [])
  })

  await t.test('a part twice is one part, its number with other bytes is 409', async (t) => {
    t.equal((await other.put(path, keys.bytes)).status, 201)
    t.equal((await other.put(path, keys.bytes)).status, 200, 'a no-op')
    t.equal((await other.put(path, keys.bytes, digestOf(keys.bytes))).status, 200)
    t.match(await other.put(path, keysPart(11).bytes), {
      status: 409,
      body: { type: /:already-exists$/ },
    })
    t.equal(vault().length, 1)
    t.equal((await other.get(`/v1/deliveries/${delivery}`)).body.parts.length, 1)
  })

  await t.test('a part without a byte is no part', async (t) => {
    const answer = await other.put(`/v1/deliveries/${delivery}/keys/2`, Buffer.alloc(0))
    t.match(answer, { status: 400, body: { type: /:input-malformed$/ } })
    t.equal(vault().length, 1)
    t.equal((await other.get(`/v1/deliveries/${delivery}`)).body.parts.length, 1)
  })

  await t.test('an upload that is cut off leaves nothing and can be repeated', async (t) => {
    const part = tablePart('visits', 60_000)
    const target = partPath(delivery, part)
    await cutOff(stage, target, part.bytes)
    await until(() => vault().length === 1, 'only the part before is left')
    t.equal((await other.put(target, part.bytes)).status, 201)
    t.equal((await other.get(`/v1/deliveries/${delivery}`)).body.parts.length, 2)
  })

  await t.test('a manifest must list exactly the parts that came', async (t) => {
    const submission = `/v1/deliveries/${delivery}/submission`
    const sound = manifestOf([keys, tablePart('visits', 60_000)])
    const [first, second] = sound.parts
    const faulty = {
      'a part is missing': { ...sound, parts: [...sound.parts, { ...second, number: 2 }] },
      'one came that is not listed': { ...sound, parts: [first] },
      'a digest differs': { ...sound, parts: [first, { ...second, sha256: first?.sha256 }] },
      'a size differs': { ...sound, parts: [first, { ...second, bytes: 1 }] },
      'another wave': { ...sound, wave: 2 },
      'of the parts of another delivery': manifestOf([keysPart(9), tablePart('visits', 9)]),
    }
    for (const [what, manifest] of Object.entries(faulty)) {
      t.equal((await other.post(submission, manifest)).status, 422, what)
    }
    t.match(await other.post(submission, { ...sound, project: delivery }), {
      status: 409,
      body: { type: /:manifest-differs$/ },
    })
    t.equal((await other.post(submission, { ...sound, format: 'other' })).status, 400)
    t.equal((await other.get(`/v1/deliveries/${delivery}`)).body.state, 'open', 'nothing visible')
    const { project } = (await other.get(`/v1/deliveries/${delivery}`)).body
    t.equal((await other.post(submission, { ...sound, project })).status, 202)
    t.equal((await other.post(submission, sound)).status, 409, 'only once')
  })

  await t.test('a body one byte too large is answered 413, with memory flat', async (t) => {
    const wave = await openDelivery(other, 2)
    const target = `/v1/deliveries/${wave}/keys/1`
    const before = vault().length
    for (const isChunked of [false, true]) {
      const rssBefore = process.memoryUsage().rss
      const answer = await send(stage, target, { bytes: partBytesMax + 1, isChunked })
      t.match(answer, { status: 413 }, isChunked ? 'without a length' : 'with a length')
      const grownMiB = (process.memoryUsage().rss - rssBefore) / 1_048_576
      t.ok(grownMiB < 160, `memory grew by ${Math.round(grownMiB)} MiB`)
    }
    const huge = await send(stage, target, { bytes: 8 * partBytesMax, isChunked: false })
    t.equal(huge.status, 413, 'a length that says it is answered at once')
    t.equal(vault().length, before, 'nothing of it stays')
  })

  await t.test('who reads only when everything is sent is told why, too', async (t) => {
    const bytes = 32_000_000
    const refusals = {
      'POST /v1/projects': 413,
      [`POST /v1/deliveries/${delivery}/submission`]: 413,
      'PUT /v1/deliveries/00000000-0000-4000-8000-000000000000/keys/1': 415,
      'PUT /v1/nowhere': 413,
    }
    for (const [target, status] of Object.entries(refusals)) {
      t.match(await sendThenRead(stage, target, bytes), new RegExp(`^HTTP/1.1 ${status} `), target)
    }
  })

  await t.test('a length and chunks at once, and two media types, do not get in', async (t) => {
    const raw = (head: string): Promise<string> => sendRaw(stage, `${head}\r\n\r\n0\r\n\r\n`)
    const line = `PUT ${path} HTTP/1.1\r\nHost: localhost\r\n`
    const both = await raw(`${line}Content-Length: 5\r\nTransfer-Encoding: chunked`)
    t.match(both, /^HTTP\/1\.1 400 /)
    const twoLengths = await raw(`${line}Content-Length: 5\r\nContent-Length: 6`)
    t.match(twoLengths, /^HTTP\/1\.1 400 /)
    const types = 'Content-Type: text/csv\r\nContent-Type: application/json'
    t.match(await raw(`${line}Content-Length: 5\r\n${types}`), /^HTTP\/1\.1 415 /)
  })
})

/** Sends so many bytes that nobody wants, and gives the answer, which must come. */
async function send(
  { other }: HttpStage,
  path: string,
  body: { bytes: number; isChunked: boolean },
): Promise<{ status: number | undefined }> {
  const chunk = Buffer.alloc(1 << 20, 'a')
  function* chunks(): Generator<Buffer> {
    for (let left = body.bytes; left > 0; left -= chunk.length) {
      yield left >= chunk.length ? chunk : chunk.subarray(0, left)
    }
  }
  const { url, tls } = other.reach
  return new Promise((resolve, reject) => {
    let isAnswered = false
    const outgoing = request(new URL(path, url), {
      method: 'PUT',
      agent: new Agent({ ...tls, keepAlive: false }),
      headers: {
        'content-type': 'text/csv',
        ...(body.isChunked ? {} : { 'content-length': String(body.bytes) }),
      },
    })
    outgoing.once('response', (incoming) => {
      isAnswered = true
      incoming.resume()
      incoming.once('close', () => outgoing.destroy())
      resolve({ status: incoming.statusCode })
    })
    pipeline(Readable.from(chunks()), outgoing).catch((error: unknown) => {
      if (!isAnswered) reject(error)
    })
  })
}

/** Sends six tenths of a body and hangs up. */
function cutOff({ other }: HttpStage, path: string, bytes: Buffer): Promise<void> {
  const { url, tls } = other.reach
  return new Promise((resolve) => {
    const outgoing = request(new URL(path, url), {
      method: 'PUT',
      agent: new Agent({ ...tls, keepAlive: false }),
      headers: { 'content-type': 'text/csv', 'content-length': String(bytes.length) },
    })
    outgoing.once('error', () => resolve())
    outgoing.write(bytes.subarray(0, Math.floor(bytes.length * 0.6)), () => outgoing.destroy())
  })
}

/** What the server says to one who reads nothing before the whole body is sent. */
function sendThenRead({ other }: HttpStage, target: string, bytes: number): Promise<string> {
  const { url, tls } = other.reach
  const { hostname: host, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), ...tls }, () => {
      socket.write(
        `${target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${bytes}\r\n\r\n`,
      )
      socket.write(Buffer.alloc(bytes, 'a'), (error) => {
        if (error) return reject(error)
        socket.once('data', (answer) => {
          resolve(String(answer))
          socket.destroy()
        })
      })
    })
    socket.once('error', reject)
  })
}

/** What the server says to these bytes. */
function sendRaw({ other }: HttpStage, text: string): Promise<string> {
  const { url, tls } = other.reach
  return new Promise((resolve, reject) => {
    const { hostname: host, port } = new URL(url)
    const socket = connect({ host, port: Number(port), ...tls }, () => socket.write(text))
    let answer = ''
    socket.on('data', (data) => {
      answer += data
    })
    socket.once('error', reject)
    socket.once('close', () => resolve(answer))
    setTimeout(() => socket.destroy(), 2_000).unref()
  })
}
