/** The service's side of a delivery, as the agency's tool sees it: a handler for a real HTTPS server. */
import { createHash, randomUUID } from 'node:crypto'

import type { IncomingMessage, ServerResponse } from 'node:http'

import {
  answerCanaries,
  canarySubmissionSchema,
  canaryTableSchema,
} from '../../src/core/canary-table.ts'
import { type Manifest, manifestSchema } from '../../src/core/manifest.ts'
import { koreanRecipe } from '../../src/core/recipe.ts'

/** The one project it knows. */
export const project = randomUUID()

type Stored = { table: string; number: number; sha256: string; bytes: number; state: string }
type Asked = { method: string; path: string; request: IncomingMessage; response: ServerResponse }

/** A service of one delivery. `meddle` may answer instead of it, or cut the connection; it says whether it did. */
export class Service {
  readonly parts = new Map<string, Stored>()
  readonly asked: string[] = []
  delivery = randomUUID()
  state: string | undefined
  manifest: Manifest | undefined
  canaries: unknown
  meddle: (asked: Asked) => boolean | Promise<boolean> = () => false

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? ''
    const method = request.method ?? ''
    this.asked.push(`${method} ${path.replace(this.delivery, '{delivery}')}`)
    if (await this.meddle({ method, path, request, response })) return
    if (method === 'PUT') return this.#store(path, request, response)
    const text = Buffer.concat(await request.toArray()).toString()
    const body: unknown = text === '' ? undefined : JSON.parse(text)
    if (path.endsWith('/recipe')) {
      const tables = { statement: { columns: { ST: { required: true } }, agency: 'hira' } }
      return say(response, 200, { project, recipe: koreanRecipe, keyTypes: ['K1', 'K4'], tables })
    }
    if (path.endsWith('/canaries'))
      return say(
        response,
        200,
        answerCanaries(canaryTableSchema.parse(this.canaries), canarySubmissionSchema.parse(body)),
      )
    if (path === `/v1/projects/${project}/deliveries`) {
      if (this.state !== undefined)
        return refuse(response, 409, 'already-exists', { delivery: this.delivery })
      this.state = 'open'
      return say(response, 201, this.#view())
    }
    if (path.endsWith('/submission')) {
      if (this.state !== 'open') return refuse(response, 409, 'state-conflict', {})
      this.manifest = manifestSchema.parse(body)
      this.state = 'submitted'
      return say(response, 202, { job: randomUUID() })
    }
    if (path === `/v1/deliveries/${this.delivery}`) return say(response, 200, this.#view())
    return refuse(response, 404, 'not-found', {})
  }

  #view() {
    return {
      delivery: this.delivery,
      project,
      agency: 'hira',
      wave: 1,
      state: this.state,
      parts: [...this.parts.values()],
    }
  }

  async #store(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const hash = createHash('sha256')
    let bytes = 0
    for await (const chunk of request) {
      hash.update(chunk)
      bytes += chunk.length
    }
    const sha256 = hash.digest()
    if (request.headers['content-digest'] !== `sha-256=:${sha256.toString('base64')}:`)
      return refuse(response, 422, 'digest-differs', {})
    const names = path.split('/').slice(4)
    const number = Number(names.at(-1))
    const table = names[0] === 'keys' ? '' : (names[1] ?? '')
    this.parts.set(`${table}/${number}`, {
      table,
      number,
      sha256: sha256.toString('hex'),
      bytes,
      state: 'uploaded',
    })
    say(response, 201, { table, number, bytes, sha256: sha256.toString('hex') })
  }
}

function say(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** Answers with a problem. */
export function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  details: object,
): void {
  say(response, status, {
    type: `urn:gyeol:problem:${code}`,
    title: code,
    status,
    detail: 'A fixed sentence.',
    details,
  })
}
