/**
 * The HTTP interface, v1. Every route is named here; what a route does is one action. Schemas are zod; the OpenAPI document
 * under `openapi/` is made from them.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Server } from 'node:https'
import type { TLSSocket } from 'node:tls'
import swagger, { type SwaggerTransformObject } from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyRequest,
  LogController,
} from 'fastify'
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod'
import type { Deps } from '../actions/deps.ts'
import { recordRefusal } from '../actions/record-refusal.ts'
import { Refusal } from '../core/errors.ts'
import type { Caller } from '../core/grants.ts'
import { callerOf } from './callers.ts'
import { requireMediaType } from './media-types.ts'
import { createMetrics } from './metrics.ts'
import { refuseBytes } from './no-request.ts'
import { sendProblem } from './problems.ts'
import { auditRoutes } from './routes/audit.ts'
import { caseRoutes } from './routes/cases.ts'
import { cohortRoutes } from './routes/cohorts.ts'
import { deliveryRoutes } from './routes/deliveries.ts'
import { doubtRoutes } from './routes/doubts.ts'
import { epochRoutes } from './routes/epochs.ts'
import { extractionRoutes } from './routes/extractions.ts'
import { healthRoutes } from './routes/health.ts'
import { jobRoutes } from './routes/jobs.ts'
import { linkageRoutes } from './routes/linkages.ts'
import { partRoutes } from './routes/parts.ts'
import { projectRoutes } from './routes/projects.ts'
import { qualityRoutes } from './routes/quality.ts'
import { releaseRoutes } from './routes/releases.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { ticketRoutes } from './routes/tickets.ts'
import { witnessRoutes } from './routes/witnesses.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before the body is read on every route except those marked `isOpen`. */
    caller: Caller | null
  }
  interface FastifyContextConfig {
    /** Answers without knowing the caller. */
    isOpen?: boolean
  }
}

export type App = FastifyInstance<
  Server,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>

/** Key, certificate and the authority that signs agencies' certificates; PEM. */
export type TlsFiles = { key: Buffer; cert: Buffer; ca: Buffer }

export type AppOptions = {
  /** Absent for an app that is only described and never listens. */
  tls?: TlsFiles
  logLevel: 'silent' | 'error' | 'warn' | 'info' | 'debug'
}

const jsonBytesMax = 4 * 1024 * 1024
const headersTimeoutMs = 15_000
const requestTimeoutMs = 30 * 60_000 // A part of 256 MiB over 2 Mbit/s takes 18 minutes.
const keepAliveTimeoutMs = 60_000

/** Builds the application. It listens nowhere yet. */
export async function buildApp(deps: Deps, options: AppOptions): Promise<App> {
  const app = Fastify({
    https: {
      ...options.tls,
      requestCert: true,
      rejectUnauthorized: false, // People have none. One that does not hold is cut off below.
      minVersion: 'TLSv1.2',
    },
    logger: { level: options.logLevel, base: { process: 'api' } },
    logController: new LogController({ disableRequestLogging: true }), // `addHooks` logs without values.
    bodyLimit: jsonBytesMax,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionTimeout: 0,
    trustProxy: false,
    routerOptions: { maxParamLength: 200 },
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    return503OnClosing: true,
    forceCloseConnections: 'idle',
    frameworkErrors: sendProblem, // The library's own words repeat the address.
    clientErrorHandler: refuseBytes,
  } as const).withTypeProvider<ZodTypeProvider>() as unknown as App
  app.server.headersTimeout = headersTimeoutMs
  app.server.on('secureConnection', cutOffBadCertificate)
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  const metrics = createMetrics(deps)
  addHooks(app, deps, metrics)
  await addDocumentation(app)
  addRoutes(app, deps, metrics)
  return app
}

/** A client that shows a certificate which does not hold gets no answer at all. */
function cutOffBadCertificate(socket: TLSSocket): void {
  if (!socket.authorized && socket.getPeerX509Certificate() !== undefined) socket.destroy()
}

function addHooks(app: App, deps: Deps, metrics: ReturnType<typeof createMetrics>): void {
  app.decorateRequest('caller', null)
  app.addHook('onRequest', async (request) => {
    if (request.is404) return
    const { config, url = '' } = request.routeOptions
    const isOpen = config.isOpen || url.startsWith('/docs') // The pages of the library.
    if (!isOpen) request.caller = await callerOf(deps, request)
    requireMediaType(request)
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown'
    metrics.observe(request.method, route, reply)
    request.log.info(
      {
        method: request.method,
        route,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
        caller: request.caller?.name,
      },
      'request answered',
    )
  })
  app.setErrorHandler(async (error, request, reply) => {
    await recordAttempt(deps, error, request)
    sendProblem(error, request, reply)
    return reply
  })
  app.setNotFoundHandler((request, reply) => {
    sendProblem(new Refusal('not-found', 'There is no such address.'), request, reply)
  })
}

const takings = new Set(['read-release-file', 'read-extraction', 'read-questions'])

/** Refused acts of known callers are leaves too, and refused takings. Reading what is not there is not. */
async function recordAttempt(deps: Deps, error: unknown, request: FastifyRequest): Promise<void> {
  const operation = request.routeOptions.schema?.operationId ?? 'unknown'
  const isTaking = takings.has(operation)
  const isAct = isTaking || (request.method !== 'GET' && request.method !== 'HEAD')
  const isRead = error instanceof Refusal && error.code === 'not-found'
  const isForbidden = error instanceof Refusal && error.code === 'grant-missing'
  const { caller } = request
  if (!(error instanceof Refusal) || !caller || !(isAct || isForbidden) || (isRead && !isAct))
    return
  const attempt = {
    action: operation,
    object:
      Object.values(request.params ?? {})
        .map(String)
        .join('/')
        .slice(0, 200) || 'none', // An act on nothing in particular: a search, a proposal.
    outcome: 'refused' as const,
    note: error.code,
  }
  await recordRefusal(deps, caller, attempt).catch(() => {
    request.log.error({}, 'a refused attempt could not be recorded')
  })
}

/** Mutual TLS as a security scheme (OpenAPI 3.1), which the types of the library do not know. */
const withCertificates: SwaggerTransformObject = (input) => {
  const document = jsonSchemaTransformObject(input)
  if (!('components' in document)) return document
  const description = 'An agency, by the registered public key of its client certificate'
  Object.assign(document.components?.securitySchemes ?? {}, {
    certificate: { type: 'mutualTLS', description },
  })
  // Only here: the library looks each scheme up before it knows of this one.
  return Object.assign(document, { security: [{ certificate: [] }, { session: [] }] })
}

async function addDocumentation(app: App): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Gyeol',
        version: '1',
        description:
          'A trusted third party for pseudonymised linkage. Agencies call with their client certificate, ' +
          'people with a bearer session.',
      },
      components: {
        securitySchemes: {
          session: {
            type: 'http',
            scheme: 'bearer',
            description: 'A person, from POST /v1/sessions',
          },
        },
      },
      security: [{ session: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: withCertificates,
  })
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: true })
}

function addRoutes(app: App, deps: Deps, metrics: ReturnType<typeof createMetrics>): void {
  app.register(async (scope) => {
    const v1 = scope as unknown as App
    sessionRoutes(v1, deps)
    projectRoutes(v1, deps)
    epochRoutes(v1, deps)
    witnessRoutes(v1, deps)
    deliveryRoutes(v1, deps)
    partRoutes(v1, deps)
    linkageRoutes(v1, deps)
    caseRoutes(v1, deps)
    ticketRoutes(v1, deps)
    doubtRoutes(v1, deps)
    qualityRoutes(v1, deps)
    extractionRoutes(v1, deps)
    cohortRoutes(v1, deps)
    releaseRoutes(v1, deps)
    jobRoutes(v1, deps)
    auditRoutes(v1, deps)
    healthRoutes(v1, deps, metrics)
  })
}
