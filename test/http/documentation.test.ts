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
