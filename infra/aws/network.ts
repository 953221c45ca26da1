import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import {
  FlowLogDestination,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import {
  CfnFirewallDomainList,
  CfnFirewallRuleGroup,
  CfnFirewallRuleGroupAssociation,
} from 'aws-cdk-lib/aws-route53resolver';
import type { Construct } from 'constructs';
import type { FunctionSurroundings } from './functions.ts';

/**
 * A network in which only the named hosts have an address: DNS Firewall answers for them and the AWS services in use, and for
 * nothing else; what leaves, leaves by port 443. A program that already knows an address is not stopped by DNS: that
 * part is `lib/egress/guard.ts`.
 */
export function createNetwork(
  scope: Construct,
  settings: { readonly key: IKey; readonly hosts: readonly string[] },
): NonNullable<FunctionSurroundings['network']> {
  const { region, urlSuffix } = Stack.of(scope);
  const vpc = new Vpc(scope, 'Vpc', {
    maxAzs: 2,
    natGateways: 2,
    restrictDefaultSecurityGroup: false,
    subnetConfiguration: [
      { name: 'public', subnetType: SubnetType.PUBLIC, cidrMask: 26, mapPublicIpOnLaunch: false },
      { name: 'functions', subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 24 },
    ],
    gatewayEndpoints: { S3: { service: GatewayVpcEndpointAwsService.S3 } },
    flowLogs: {
      All: {
        destination: FlowLogDestination.toCloudWatchLogs(
          new LogGroup(scope, 'FlowLogs', {
            encryptionKey: settings.key,
            retention: RetentionDays.ONE_MONTH,
            removalPolicy: RemovalPolicy.DESTROY,
          }),
        ),
      },
    },
  });
  const securityGroup = new SecurityGroup(scope, 'FunctionsGroup', {
    vpc,
    description: 'Functions of the perimeter: nothing in, HTTPS out',
    allowAllOutbound: false,
  });
  securityGroup.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'HTTPS to what resolves');
  const endpointGroup = new SecurityGroup(scope, 'EndpointGroup', {
    vpc,
    description: 'Secrets Manager inside the network',
    allowAllOutbound: false,
  });
  endpointGroup.addIngressRule(securityGroup, Port.tcp(443), 'HTTPS from the functions');
  vpc.addInterfaceEndpoint('SecretsManager', {
    service: InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
    securityGroups: [endpointGroup],
    open: false,
  });

  const services = [
    `secretsmanager.${region}.${urlSuffix}`,
    `s3.${region}.${urlSuffix}`,
    `*.s3.${region}.${urlSuffix}`,
  ];
  const named = new CfnFirewallDomainList(scope, 'NamedHosts', { domains: [...settings.hosts, ...services] });
  const others = new CfnFirewallDomainList(scope, 'AllHosts', { domains: ['*'] });
  const rules = new CfnFirewallRuleGroup(scope, 'DnsRules', {
    firewallRules: [
      { priority: 100, action: 'ALLOW', firewallDomainListId: named.attrId },
      { priority: 200, action: 'BLOCK', blockResponse: 'NODATA', firewallDomainListId: others.attrId },
    ],
  });
  new CfnFirewallRuleGroupAssociation(scope, 'DnsRulesInVpc', {
    firewallRuleGroupId: rules.attrId,
    vpcId: vpc.vpcId,
    priority: 101,
    mutationProtection: 'ENABLED',
  });
  return { vpc, securityGroup };
}
