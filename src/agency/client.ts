/**
 * The agency's side of the HTTP interface: TLS with the agency's own certificate, a few kept connections, a limit on every
 * wait. What may pass by itself (no answer, 429, 502, 503, 504) is tried again with growing pauses; every request here may
 * be repeated without harm.
 */
import { createReadStream } from 'node:fs'
import type { ClientRequest, Agent as PlainAgent } from 'node:http'
import { Agent, request } from 'node:https'
import { pipeline } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { Refusal, type RefusalCode } from '../core/errors.ts'
import { saveAnswer, textOf } from './read-answer.ts'

export type ClientOptions = {
  /** https://host[:port] */
  url: string
  /** Certificates that may vouch for the service; the system's where absent. PEM. */
  ca?: string
  /** The agency's certificate and key, PEM. */
  certificate: string
  privateKey: string
  /** No byte for this long ends a request. Default 60 s. */
  idleMs?: number
  /** How often one request is tried. Default 7, about a minute and a half. */
  triesMax?: number
  /** The first pause; each further one is twice as long, at most 30 s. Default 1 s. */
  pauseMs?: number
  /** Told why a request has no answer yet, before it is tried again. */
  onPause?: (error: Error, next: { pauseMs: number; triesLeft: number }) => void
  signal?: AbortSignal
}

/** A file as a request's body. */
export type FileBody = { path: string; bytes: number; mediaType: string; sha256: string }

export type Client = {
  /** Sends JSON, or nothing, and reads the answer by its schema. */
  ask<T>(
    method: 'GET' | 'POST',
    path: string,
    expected: { schema: z.ZodType<T>; body?: unknown },
  ): Promise<T>
  /** Streams a file with its length and digest (RFC 9530). */
  put(path: string, body: FileBody): Promise<void>
  /** Streams the answer into a file. */
  save(path: string, into: string): Promise<void>
  close(): void
}

const connectionsMax = 8

/**
 * Opens a client. Nothing is connected until it is asked.
 *
 * Its methods throw `Refusal` with the service's own code and sentence; an outage that outlasts the tries is thrown plainly.
 */
export function openClient(options: ClientOptions): Client {
  const url = serviceUrlOf(options.url)
  const agent = new Agent({
    keepAlive: true,
    maxSockets: connectionsMax,
    minVersion: 'TLSv1.3',
    cert: options.certificate,
    key: options.privateKey,
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  })
  const once = (asked: Asked) => answerTo(agent, url, { asked, options })
  return {
    ask: async (method, path, { schema, body }) => {
      const text = body === undefined ? undefined : JSON.stringify(body)
      const answer = await repeated(options, () => once({ method, path, text }))
      return schema.parse(JSON.parse(answer.text))
    },
    put: async (path, file) => {
      await repeated(options, () => once({ method: 'PUT', path, file }))
    },
    save: async (path, into) => {
      await repeated(options, () => once({ method: 'GET', path, into }))
    },
    close: () => agent.destroy(),
  }
}

/** The address of a service. @throws {Refusal} `option-unknown` if it is none, or not https. */
export function serviceUrlOf(text: string): URL {
  const url = URL.parse(text)
  if (url?.protocol === 'https:') return url
  throw new Refusal(
    'option-unknown',
    'The address of the service is https://host or https://host:port.',
  )
}

type Asked = {
  method: string
  path: string
  text?: string | undefined
  file?: FileBody
  /** Where the answer goes, if it is one to keep. */
  into?: string
}
type Answer = { status: number; text: string; retryAfterMs: number | undefined }

/** No usable answer: worth another try. */
class Unanswered extends Error {
  readonly code = 'NO_ANSWER'
  readonly retryAfterMs: number | undefined
  constructor(message: string, retryAfterMs?: number, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Unanswered'
    this.retryAfterMs = retryAfterMs
  }
}

async function repeated(options: ClientOptions, act: () => Promise<Answer>): Promise<Answer> {
  const { triesMax = 7, pauseMs = 1000, onPause, signal } = options
  for (let tries = 1; ; tries++) {
    signal?.throwIfAborted()
    try {
      return checked(await act())
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof Unanswered) || tries >= triesMax) throw error
      const grown = Math.min(30_000, pauseMs * 2 ** (tries - 1))
      const jittered = grown / 2 + (Math.random() * grown) / 2
      const nextMs = Math.max(error.retryAfterMs ?? 0, jittered)
      onPause?.(error, { pauseMs: nextMs, triesLeft: triesMax - tries })
      await pause(nextMs, undefined, signal && { signal })
    }
  }
}

const problemSchema = z.object({
  type: z.string().regex(/^urn:gyeol:problem:[a-z0-9-]{1,64}$/),
  detail: z.string().max(1000).default('The service refused the request.'),
  details: z.record(z.string(), z.union([z.string(), z.number()])).default({}),
})

function checked(answer: Answer): Answer {
  const { status, text, retryAfterMs } = answer
  if (status >= 200 && status < 300) return answer
  if ([429, 502, 503, 504].includes(status))
    throw new Unanswered(`the service answered ${status}`, retryAfterMs)
  const problem = problemSchema.safeParse(parsed(text))
  if (!problem.success) throw new Error(`the service answered ${status}`)
  const { type, detail, details } = problem.data
  const code = type.slice(type.lastIndexOf(':') + 1) as RefusalCode // The service's own word.
  throw new Refusal(code, detail, details)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function answerTo(
  agent: PlainAgent,
  url: URL,
  { asked, options }: { asked: Asked; options: ClientOptions },
): Promise<Answer> {
  const { method, path, text, file, into } = asked
  const sent = request(new URL(path, url), {
    agent,
    method,
    headers: { accept: into ? 'text/csv' : 'application/json', ...headersOf(text, file) },
    timeout: options.idleMs ?? 60_000,
    ...(options.signal && { signal: options.signal }),
  })
  sent.on('timeout', () => sent.destroy(new Error('no byte for too long')))
  try {
    const answered = answerOf(sent, into)
    answered.catch(() => {}) // Awaited below, after the body.
    if (file === undefined) sent.end(text)
    else await streamed(file, sent, answered)
    return await answered
  } catch (error) {
    sent.destroy()
    throw isConnectionLost(error) ? new Unanswered('no answer', undefined, { cause: error }) : error
  }
}

/** Sends a file. The service may refuse before the body has gone out whole: then its answer is what counts. */
async function streamed(
  file: FileBody,
  sent: ClientRequest,
  answered: Promise<Answer>,
): Promise<void> {
  const stop = new AbortController()
  const whole = pipeline(createReadStream(file.path), sent, { signal: stop.signal })
  whole.catch(() => {})
  try {
    await Promise.race([whole, answered])
  } finally {
    stop.abort()
  }
}

function headersOf(
  text: string | undefined,
  file: FileBody | undefined,
): Record<string, string | number> {
  if (file !== undefined) {
    const digest = Buffer.from(file.sha256, 'hex').toString('base64')
    return {
      'content-type': file.mediaType,
      'content-length': file.bytes,
      'content-digest': `sha-256=:${digest}:`,
    }
  }
  if (text === undefined) return {}
  return { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
}

function answerOf(sent: ClientRequest, into: string | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    sent.on('error', reject)
    sent.on('response', (response) => {
      const isKept = into !== undefined && response.statusCode === 200
      const read = isKept ? saveAnswer(response, into).then(() => '') : textOf(response)
      read.then((text) => {
        const seconds = Number(response.headers['retry-after'])
        const retryAfterMs = seconds > 0 && seconds <= 600 ? seconds * 1000 : undefined
        resolve({ status: response.statusCode ?? 0, text, retryAfterMs })
      }, reject)
    })
  })
}

/** Whether a try failed for want of a connection, rather than for what was asked. A bad certificate is no such thing. */
function isConnectionLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error.message === 'no byte for too long') return true
  const code = 'code' in error ? String(error.code) : ''
  return /^(ECONN(RESET|REFUSED|ABORTED)|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|ERR_STREAM_(PREMATURE_CLOSE|DESTROYED))$/.test(
    code,
  )
}
