import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { dirname } from 'node:path'
import { Transform } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { problemOf, type Reach } from './https-json.ts'

const idleMs = 60_000
const problemBytesMax = 64 * 1024

/**
 * Streams a file of a release to disk under a temporary name and gives it its own when it is whole.
 *
 * @param reason - why it is taken, 1 to 200 characters; it is recorded.
 * @returns its size and SHA-256, hexadecimal.
 * @throws {Refusal} the one the API refused with; plainly when the connection breaks.
 */
export async function download(
  reach: Reach,
  path: string,
  { target, reason }: { target: string; reason: string },
): Promise<{ bytes: number; sha256: string }> {
  await mkdir(dirname(target), { recursive: true })
  const unfinished = `${target}.unfinished`
  const hash = createHash('sha256')
  let bytes = 0
  const counted = new Transform({
    transform: (chunk: Buffer, _, done) => {
      hash.update(chunk)
      bytes += chunk.length
      done(null, chunk)
    },
  })
  try {
    const response = await get(reach, path, reason)
    await pipeline(response, counted, createWriteStream(unfinished, { mode: 0o600 }))
    await rename(unfinished, target)
  } finally {
    await rm(unfinished, { force: true })
  }
  return { bytes, sha256: hash.digest('hex') }
}

function get({ url, ca, token }: Reach, path: string, reason: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(
      new URL(path, url),
      {
        ca,
        timeout: idleMs,
        headers: {
          'gyeol-reason': Buffer.from(reason, 'utf8').toString('latin1'),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
      },
      (response) => {
        if (response.statusCode === 200) resolve(response)
        else refused(response).then(reject, reject)
      },
    )
    sent.on('timeout', () => sent.destroy(new Error('the API did not answer in time')))
    sent.on('error', reject)
    sent.end()
  })
}

async function refused(response: IncomingMessage): Promise<Error> {
  let bytes = 0
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > problemBytesMax) response.destroy(new Error('the answer is too large'))
  })
  return problemOf(response.statusCode ?? 0, await text(response))
}
