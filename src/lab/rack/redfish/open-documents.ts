/**
 * The documents anybody may read: version object, OData service document, metadata.
 *
 * Source: DSP0266 sections 8.4 and 8.5.
 */
import { capturedTree } from './capture.ts';
import { usedNamespaces } from './schemas.ts';
import { isJsonObject } from './types.ts';
import type { JsonObject, RouteReply } from './types.ts';

const services: [string, string][] = [
  ['Service', '/redfish/v1'],
  ['Systems', '/redfish/v1/Systems'],
  ['Chassis', '/redfish/v1/Chassis'],
  ['Managers', '/redfish/v1/Managers'],
  ['UpdateService', '/redfish/v1/UpdateService'],
  ['AccountService', '/redfish/v1/AccountService'],
  ['SessionService', '/redfish/v1/SessionService'],
  ['Sessions', '/redfish/v1/SessionService/Sessions'],
  ['TaskService', '/redfish/v1/TaskService'],
  ['EventService', '/redfish/v1/EventService'],
  ['Registries', '/redfish/v1/Registries'],
];

function serviceDocument(): JsonObject {
  return {
    '@odata.context': '/redfish/v1/$metadata',
    value: services.map(([name, url]) => ({ kind: 'Singleton', name, url })),
  };
}

function metadata(): string {
  const references = [...usedNamespaces(capturedTree())].map(([schema, namespaces]) => {
    const uri = schema.startsWith('Nvidia')
      ? `/redfish/v1/schema/${schema}_v1.xml`
      : `http://redfish.dmtf.org/schemas/v1/${schema}${namespaces.has(schema) ? '' : '_v1'}.xml`;
    const includes = [...namespaces].map((namespace) => `    <edmx:Include Namespace="${namespace}"/>\n`);
    return `  <edmx:Reference Uri="${uri}">\n${includes.join('')}  </edmx:Reference>\n`;
  });
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    '<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0">\n' +
    references.join('') +
    '  <edmx:Reference Uri="http://redfish.dmtf.org/schemas/v1/ServiceRoot_v1.xml">\n' +
    '    <edmx:Include Namespace="ServiceRoot"/>\n' +
    '  </edmx:Reference>\n' +
    '  <edmx:DataServices>\n' +
    '    <Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="Service">\n' +
    '      <EntityContainer Name="Service" Extends="ServiceRoot.v1_15_0.ServiceContainer"/>\n' +
    '    </Schema>\n' +
    '  </edmx:DataServices>\n' +
    '</edmx:Edmx>\n'
  );
}

/** A document that needs no login, by path without trailing slash; null for other paths. */
export function openDocument(path: string): RouteReply | null {
  if (path === '/redfish') return { status: 200, json: { v1: '/redfish/v1/' } };
  if (path === '/redfish/v1/odata') {
    const json = serviceDocument();
    return isJsonObject(json) ? { status: 200, json } : null;
  }
  if (path === '/redfish/v1/$metadata') {
    return { status: 200, json: metadata(), headers: { 'Content-Type': 'application/xml; charset=utf-8' } };
  }
  return null;
}
