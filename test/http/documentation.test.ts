import { text } from 'node:stream/consumers'
import { connect } from 'node:tls'
import { test } from 'tap'
import { createClient } from '../support/api-client.ts'
import { startTestService } from '../support/service.ts'

test('documentation, health and metrics answer anybody, and nothing else does', async (t) => {
  const service = await startTestService(t)
  const anybody = createClient({ url: service.url, ca: service.authority.ca })
  const page = await anybody.get('/docs/')
  t.equal(page.status, 200)
  t.match(page.headers['content-type'], /text\/html/)
  const document = await anybody.get('/openapi.json')
  t.equal(document.body.openapi, '3.1.0')
  t.ok(Object.keys(document.body.paths).length > 20)
  t.equal((await anybody.get('/livez')).status, 200)
  t.equal((await anybody.get('/readyz')).status, 200)
  const metrics = await anybody.get('/metrics')
  t.match(metrics.bytes.toString(), /gyeol_jobs|gyeol_audit_leaves/)
  for (const path of ['/v1/projects', '/v1/audit/checkpoint', '/v1/audit/entries']) {
    t.equal((await anybody.get(path)).status, 401, path)
  }
})

test('what is refused before it is a request is a problem too, and nothing of it is repeated', async (t) => {
  const service = await startTestService(t)
  const { url, authority } = service
  const anybody = createClient({ url, ca: authority.ca })
  for (const [path, status] of [
    ['/v1/projects/MARK%zz', 400],
    [`/v1/projects/${'MARK'.repeat(60)}`, 414],
  ] as const) {
    const { headers, body } = await anybody.get(path)
    t.match(headers['content-type'], /^application\/problem\+json/)
    t.match(body, { type: `urn:gyeol:problem:http-${status}`, status, title: /./, detail: /./ })
    t.notMatch(JSON.stringify(body), /MARK|FST/)
  }
  const operator = await service.person('operator', ['operator'])
  const path = '/v1/cohorts/00000000-0000-4000-8000-000000000000/releases'
  const counts = { '990101-1234567 MARK': 5, ['MARK'.repeat(100)]: 5, 'a/MARK.1': 5, ages: [5] }
  const { status, body } = await operator.post(path, { policy: { counts } })
  t.equal(status, 400)
  const where: string = body.details.where
  t.match(where, '/policy/counts/* /policy/counts/* /policy/counts/a/* /policy/counts/ages ')
  t.notMatch(JSON.stringify(body), /MARK|990101/)
  const { hostname, port } = new URL(url)
  for (const [bytes, status] of [
    ['MARK MARK MARK\r\n\r\n', 400],
    [`GET /livez HTTP/1.1\r\nhost: x\r\nmark: ${'MARK'.repeat(5_000)}\r\n\r\n`, 431],
  ] as const) {
    const socket = connect({ host: hostname, port: Number(port), ca: authority.ca })
    socket.write(bytes)
    const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n')
    t.match(head, new RegExp(`^HTTP/1.1 ${status} [^]*application/problem\\+json`))
    t.match(JSON.parse(body), { type: `urn:gyeol:problem:http-${status}`, status })
    t.notMatch(head + body, /MARK/)
  }
})
