/** A small HTTPS client for tests: JSON in and out, bytes where asked, and nothing hidden. */

import type { IncomingHttpHeaders } from 'node:http'
import { Agent, request } from 'node:https'

/** `body` is parsed JSON where the answer is JSON, else undefined; `bytes` is always what came. */
export type Answer = {
  status: number
  headers: IncomingHttpHeaders
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers of every shape and check what they read.
  body: any
  bytes: Buffer
}

export type ApiClient = {
  /** For requests that a client would not make: where the service is and the client's certificate. */
  reach: { url: string; tls: { ca: Buffer; key?: Buffer; cert?: Buffer } }
  /** Of a person who has signed in. */
  token: string | undefined
  get: (path: string, headers?: Record<string, string>) => Promise<Answer>
  post: (path: string, body?: unknown) => Promise<Answer>
  delete: (path: string) => Promise<Answer>
  put: (path: string, bytes: Buffer, headers?: Record<string, string>) => Promise<Answer>
  /** Any method with any bytes. */
  send: (
    method: string,
    path: string,
    bytes: Buffer,
    headers: Record<string, string>,
  ) => Promise<Answer>
}

type ClientOptions = {
  url: string
  ca: Buffer
  key?: Buffer
  cert?: Buffer
  token?: string
}

export function createClient({ url, token, ...tls }: ClientOptions): ApiClient {
  const agent = new Agent({ keepAlive: false, ...tls })
  const call = (
    method: string,
    path: string,
    sent?: { bytes?: Buffer; headers: Record<string, string> },
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const headers = {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(sent?.bytes ? { 'content-length': String(sent.bytes.length) } : {}),
        ...sent?.headers,
      }
      const outgoing = request(new URL(path, url), { method, agent, headers }, (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () => {
          const bytes = Buffer.concat(chunks)
          const isJson = /json/.test(incoming.headers['content-type'] ?? '')
          const body = isJson ? JSON.parse(bytes.toString()) : undefined
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body, bytes })
        })
      })
      outgoing.on('error', reject)
      outgoing.end(sent?.bytes)
    })
  return {
    reach: { url, tls },
    token,
    get: (path, headers = {}) => call('GET', path, { headers }),
    delete: (path) => call('DELETE', path),
    post: (path, body) =>
      body === undefined
        ? call('POST', path)
        : call('POST', path, {
            bytes: Buffer.from(JSON.stringify(body)),
            headers: { 'content-type': 'application/json' },
          }),
    send: (method, path, bytes, headers) => call(method, path, { bytes, headers }),
    put: (path, bytes, headers = {}) =>
      call('PUT', path, { bytes, headers: { 'content-type': 'text/csv', ...headers } }),
  }
}
