/**
 * Answers of an iDRAC 9: headers and error bodies.
 *
 * Source: iDRAC9 Redfish API guide; the words of SYS426 as badfish's users saw them (issue 10); PSU501 of the Dell event and
 * error message reference.
 */
import type { RedfishAnswer } from '../redfish/types.ts';

/** An answer with the headers every answer has. */
export function reply(status: number, json: unknown, headers: Record<string, string> = {}): RedfishAnswer {
  const body = json === null ? '' : JSON.stringify(json);
  return {
    status,
    body,
    headers: {
      'OData-Version': '4.0',
      Server: 'iDRAC/9',
      ...(body !== '' && { 'Content-Type': 'application/json;odata.metadata=minimal;charset=utf-8' }),
      'Content-Length': String(Buffer.byteLength(body)),
      ...headers,
    },
  };
}

interface Message {
  id: string;
  text: string;
  args?: string[];
  resolution: string;
  severity: 'Informational' | 'Warning' | 'Critical';
}

/** An error as iDRAC words it: every message with its arguments counted. */
function problem(status: number, messages: Message[]): RedfishAnswer {
  const info = messages.map(({ id, text, args = [], resolution, severity }) => ({
    Message: text,
    MessageArgs: args,
    'MessageArgs@odata.count': args.length,
    MessageId: id,
    RelatedProperties: [],
    'RelatedProperties@odata.count': 0,
    Resolution: resolution,
    Severity: severity,
  }));
  return reply(status, {
    error: {
      '@Message.ExtendedInfo': info,
      code: 'Base.1.12.GeneralError',
      message: 'A general error has occurred. See ExtendedInfo for more information',
    },
  });
}

/** No or wrong credentials. */
export function denied(): RedfishAnswer {
  return problem(401, [
    {
      id: 'Base.1.12.AccessDenied',
      text: 'The authentication credentials included with this request are missing or invalid.',
      resolution: 'Attempt to ensure that the URI is correct and that the service has the appropriate credentials.',
      severity: 'Critical',
    },
  ]);
}

/** A reset type that is not in the list. */
export function badResetType(value: string): RedfishAnswer {
  const list = 'is not in the list of acceptable values.';
  return problem(400, [
    {
      id: 'IDRAC.2.8.SYS426',
      text: `Unable to complete the operation because the value ${value} entered for the property ResetType ${list}`,
      args: [value, 'ResetType'],
      resolution:
        'Enter a valid value from the enumeration list that Redfish service supports and retry the operation.',
      severity: 'Warning',
    },
    {
      id: 'Base.1.12.ActionParameterNotSupported',
      text: `The parameter ResetType for the action ComputerSystem.Reset is not supported on the target resource.`,
      args: ['ResetType', 'ComputerSystem.Reset'],
      resolution: 'Remove the parameter supplied and resubmit the request if the operation failed.',
      severity: 'Warning',
    },
  ]);
}

/** The power is already as wished. */
export function alreadyPowered(word: 'ON' | 'OFF'): RedfishAnswer {
  const text = `Server is already powered ${word}.`;
  const resolution = 'No response action is required.';
  return problem(409, [{ id: 'IDRAC.2.8.PSU501', text, args: [word], resolution, severity: 'Informational' }]);
}

/** Nothing lies at this path. */
export function notFound(path: string): RedfishAnswer {
  return problem(404, [
    {
      id: 'Base.1.12.ResourceMissingAtURI',
      text: `The resource at the URI ${path} was not found.`,
      args: [path],
      resolution: 'Place a valid resource at the URI or correct the URI and resubmit the request.',
      severity: 'Critical',
    },
  ]);
}

/** The resource does not take this method. */
export function notAllowed(): RedfishAnswer {
  const text = 'The HTTP method is not allowed on this resource.';
  return problem(405, [{ id: 'Base.1.12.OperationNotAllowed', text, resolution: 'None', severity: 'Critical' }]);
}
