//! Attack tests on accounts of AWS: identities, secrets, functions, logs.

use serde_json::{Value as Json, json};

use crate::stage::Stage;
use crate::{Emulation, Parameter, Source, parameter};

const USER: Parameter = parameter("user", "svc-report", "name of the user that is made or changed");

/// An emulation of CloudTrail.
const fn test(
    name: &'static str,
    title: &'static str,
    techniques: &'static [&'static str],
    tests: &'static [&'static str],
    operations: &'static [&'static str],
    parameters: &'static [Parameter],
    act: fn(&mut Stage),
) -> Emulation {
    Emulation { name, title, source: Source::CloudTrail, techniques, tests, operations, parameters, act }
}

const ADMIN: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

pub const TESTS: &[Emulation] = &[
    test(
        "aws.discover-services",
        "Services and their resources are listed",
        &["T1526", "T1580"],
        &["atomic: aa8b9bcc-46fa-4a59-9237-73c7b93a980c"],
        &[
            "DescribeInstances",
            "DescribeVolumes",
            "DescribeSecurityGroups",
            "ListBuckets",
            "ListUsers",
            "ListFunctions20150331",
        ],
        &[],
        |stage| {
            for (service, name) in [
                ("ec2", "DescribeInstances"),
                ("ec2", "DescribeVolumes"),
                ("ec2", "DescribeSecurityGroups"),
                ("s3", "ListBuckets"),
                ("iam", "ListUsers"),
                ("lambda", "ListFunctions20150331"),
            ] {
                stage.aws(service, name, json!({}), Json::Null);
            }
        },
    ),
    test(
        "aws.secrets-retrieve",
        "Many secrets are read, one after the other",
        &["T1555.006"],
        &["stratus: aws.credential-access.secretsmanager-retrieve-secrets"],
        &["ListSecrets", "GetSecretValue"],
        &[parameter("count", "20", "how many secrets")],
        |stage| {
            stage.aws("secretsmanager", "ListSecrets", json!({"maxResults": 100}), Json::Null);
            for number in 0..stage.count("count") {
                stage.aws("secretsmanager", "GetSecretValue", json!({"secretId": secret(stage, number)}), Json::Null);
            }
        },
    ),
    test(
        "aws.secrets-batch",
        "Many secrets are read at once",
        &["T1555.006"],
        &["stratus: aws.credential-access.secretsmanager-batch-retrieve-secrets"],
        &["BatchGetSecretValue"],
        &[],
        |stage| {
            let filter = json!({"filters": [{"key": "tag-key", "values": ["!StratusRedTeam"]}]});
            stage.aws("secretsmanager", "BatchGetSecretValue", filter, Json::Null);
        },
    ),
    test(
        "aws.ssm-parameters",
        "Encrypted parameters are read",
        &["T1552"],
        &["stratus: aws.credential-access.ssm-retrieve-securestring-parameters"],
        &["DescribeParameters", "GetParameters"],
        &[parameter("count", "10", "how many parameters")],
        |stage| {
            stage.aws("ssm", "DescribeParameters", json!({}), Json::Null);
            let names: Vec<String> = (0..stage.count("count")).map(|number| format!("/credentials/{number}")).collect();
            for some in names.chunks(10) {
                stage.aws("ssm", "GetParameters", json!({"names": some, "withDecryption": true}), Json::Null);
            }
        },
    ),
    test(
        "aws.console-login-no-mfa",
        "A sign-in to the console without a second factor",
        &["T1078.004"],
        &["stratus: aws.initial-access.console-login-without-mfa"],
        &["ConsoleLogin"],
        &[parameter("user_agent", "Mozilla/5.0 (X11; Linux x86_64) Firefox/133.0", "client")],
        |stage| {
            stage.aws("signin", "ConsoleLogin", Json::Null, json!({"ConsoleLogin": "Success"}));
            if let Some(fields) = stage.records.last_mut().and_then(|record| record.json.as_object_mut()) {
                fields.insert("eventType".into(), json!("AwsConsoleSignIn"));
                let extra = json!({"LoginTo": "https://console.aws.amazon.com/console/home", "MobileVersion": "No", "MFAUsed": "No"});
                fields.insert("additionalEventData".into(), extra);
            }
        },
    ),
    test(
        "aws.cloudtrail-delete",
        "A trail is deleted",
        &["T1562.008"],
        &["stratus: aws.defense-evasion.cloudtrail-delete"],
        &["DeleteTrail"],
        &[],
        |stage| stage.aws("cloudtrail", "DeleteTrail", json!({"name": "org-trail"}), Json::Null),
    ),
    test(
        "aws.cloudtrail-stop",
        "A trail stops logging",
        &["T1562.008"],
        &["stratus: aws.defense-evasion.cloudtrail-stop"],
        &["StopLogging"],
        &[],
        |stage| stage.aws("cloudtrail", "StopLogging", json!({"name": "org-trail"}), Json::Null),
    ),
    test(
        "aws.cloudtrail-event-selectors",
        "A trail is told to log no management events",
        &["T1562.008"],
        &["stratus: aws.defense-evasion.cloudtrail-event-selectors"],
        &["PutEventSelectors"],
        &[],
        |stage| {
            let selectors =
                json!([{"readWriteType": "ReadOnly", "includeManagementEvents": false, "dataResources": []}]);
            let request = json!({"trailName": "org-trail", "eventSelectors": selectors});
            stage.aws("cloudtrail", "PutEventSelectors", request.clone(), request);
        },
    ),
    test(
        "aws.vpc-remove-flow-logs",
        "Flow logs of a network are deleted",
        &["T1562.008"],
        &["stratus: aws.defense-evasion.vpc-remove-flow-logs"],
        &["DeleteFlowLogs"],
        &[],
        |stage| {
            let id = format!("fl-0{}", stage.chance.hex(16));
            let request = json!({"DeleteFlowLogsRequest": {"FlowLogId": {"tag": 1, "content": id}}});
            stage.aws("ec2", "DeleteFlowLogs", request, json!({"DeleteFlowLogsResponse": {"unsuccessful": ""}}));
        },
    ),
    test(
        "aws.dns-delete-logs",
        "Logging of name resolution is deleted",
        &["T1562.008"],
        &["stratus: aws.defense-evasion.dns-delete-logs"],
        &["DeleteResolverQueryLogConfig"],
        &[],
        |stage| {
            let id = format!("rqlc-{}", stage.chance.hex(16));
            let request = json!({"resolverQueryLogConfigId": id});
            stage.aws(
                "route53resolver",
                "DeleteResolverQueryLogConfig",
                request,
                json!({"resolverQueryLogConfig": {"id": id, "status": "DELETING"}}),
            );
        },
    ),
    test(
        "aws.organizations-leave",
        "An account tries to leave its organization",
        &["T1562.008"],
        &["stratus: aws.defense-evasion.organizations-leave"],
        &["LeaveOrganization"],
        &[parameter("error", "AccessDenied", "error code with which every call is refused")],
        |stage| stage.aws("organizations", "LeaveOrganization", Json::Null, Json::Null),
    ),
    test(
        "aws.iam-backdoor-role",
        "The trust of a role is opened to another account",
        &["T1098.001"],
        &["stratus: aws.persistence.iam-backdoor-role"],
        &["UpdateAssumeRolePolicy"],
        &[parameter("other_account", "999900001111", "account that is trusted")],
        |stage| {
            let policy = trust(&stage.text("other_account"));
            stage.aws(
                "iam",
                "UpdateAssumeRolePolicy",
                json!({"roleName": "ops", "policyDocument": policy}),
                Json::Null,
            );
        },
    ),
    test(
        "aws.iam-backdoor-user",
        "An access key is made for another user",
        &["T1098.001"],
        &["stratus: aws.persistence.iam-backdoor-user"],
        &["CreateAccessKey"],
        &[USER],
        |stage| {
            let (user, key) = (stage.text("user"), format!("AKIA{}", stage.chance.hex(16).to_uppercase()));
            let response = json!({"accessKey": {"userName": user, "accessKeyId": key, "status": "Active"}});
            stage.aws("iam", "CreateAccessKey", json!({"userName": user}), response);
        },
    ),
    test(
        "aws.iam-create-admin-user",
        "A user with all rights and a key is made",
        &["T1136.003", "T1098.001"],
        &["stratus: aws.persistence.iam-create-admin-user"],
        &["CreateUser", "AttachUserPolicy", "CreateAccessKey"],
        &[USER],
        |stage| {
            let user = stage.text("user");
            let arn = format!("arn:aws:iam::{}:user/{user}", stage.caller().account);
            stage.aws("iam", "CreateUser", json!({"userName": user}), json!({"user": {"userName": user, "arn": arn}}));
            stage.aws("iam", "AttachUserPolicy", json!({"userName": user, "policyArn": ADMIN}), Json::Null);
            let key = format!("AKIA{}", stage.chance.hex(16).to_uppercase());
            let response = json!({"accessKey": {"userName": user, "accessKeyId": key, "status": "Active"}});
            stage.aws("iam", "CreateAccessKey", json!({"userName": user}), response);
        },
    ),
    test(
        "aws.iam-create-backdoor-role",
        "A role with all rights is made that another account may assume",
        &["T1136.003", "T1098.003"],
        &["stratus: aws.persistence.iam-create-backdoor-role"],
        &["CreateRole", "AttachRolePolicy"],
        &[
            parameter("other_account", "999900001111", "account that is trusted"),
            parameter("role", "support", "name of the role"),
        ],
        |stage| {
            let (role, policy) = (stage.text("role"), trust(&stage.text("other_account")));
            let arn = format!("arn:aws:iam::{}:role/{role}", stage.caller().account);
            let response = json!({"role": {"roleName": role, "arn": arn}});
            stage.aws("iam", "CreateRole", json!({"roleName": role, "assumeRolePolicyDocument": policy}), response);
            stage.aws("iam", "AttachRolePolicy", json!({"roleName": role, "policyArn": ADMIN}), Json::Null);
        },
    ),
    test(
        "aws.iam-create-login-profile",
        "A user with a password for the console is made",
        &["T1098.001"],
        &["stratus: aws.persistence.iam-create-user-login-profile"],
        &["CreateUser", "CreateLoginProfile"],
        &[USER],
        |stage| {
            let user = stage.text("user");
            stage.aws("iam", "CreateUser", json!({"userName": user}), json!({"user": {"userName": user}}));
            let request = json!({"userName": user, "passwordResetRequired": false});
            stage.aws("iam", "CreateLoginProfile", request, json!({"loginProfile": {"userName": user}}));
        },
    ),
    test(
        "aws.iam-update-login-profile",
        "The console password of another user is changed",
        &["T1098"],
        &["stratus: aws.privilege-escalation.iam-update-user-login-profile"],
        &["UpdateLoginProfile"],
        &[USER],
        |stage| stage.aws("iam", "UpdateLoginProfile", json!({"userName": stage.text("user")}), Json::Null),
    ),
    test(
        "aws.lambda-backdoor-function",
        "A function may be called from another account",
        &["T1098"],
        &["stratus: aws.persistence.lambda-backdoor-function"],
        &["AddPermission20150331v2"],
        &[],
        |stage| {
            let request = json!({"functionName": "invoice", "action": "lambda:InvokeFunction", "principal": "*", "statementId": "backdoor"});
            stage.aws("lambda", "AddPermission20150331v2", request, json!({"statement": "{}"}));
        },
    ),
    test(
        "aws.lambda-layer-extension",
        "A layer is put under a function",
        &["T1546"],
        &["stratus: aws.persistence.lambda-layer-extension"],
        &["UpdateFunctionConfiguration20150331v2"],
        &[],
        |stage| {
            let layers = json!(["arn:aws:lambda:us-east-1:999900001111:layer:extension:1"]);
            let request = json!({"functionName": "invoice", "layers": layers});
            stage.aws("lambda", "UpdateFunctionConfiguration20150331v2", request, json!({"functionName": "invoice"}));
        },
    ),
    test(
        "aws.lambda-overwrite-code",
        "The code of a function is replaced",
        &["T1546"],
        &["stratus: aws.persistence.lambda-overwrite-code"],
        &["UpdateFunctionCode20150331v2"],
        &[],
        |stage| {
            let request = json!({"functionName": "invoice", "publish": false, "dryRun": false});
            stage.aws("lambda", "UpdateFunctionCode20150331v2", request, json!({"functionName": "invoice"}));
        },
    ),
    test(
        "aws.rolesanywhere-create-trust-anchor",
        "A certificate authority is trusted to give out credentials",
        &["T1098.001"],
        &["stratus: aws.persistence.rolesanywhere-create-trust-anchor"],
        &["CreateTrustAnchor", "CreateProfile"],
        &[],
        |stage| {
            let request =
                json!({"name": "malicious-anchor", "enabled": true, "source": {"sourceType": "CERTIFICATE_BUNDLE"}});
            stage.aws(
                "rolesanywhere",
                "CreateTrustAnchor",
                request,
                json!({"trustAnchor": {"name": "malicious-anchor"}}),
            );
            let request = json!({"name": "malicious-profile", "enabled": true, "roleArns": ["arn:aws:iam::111122223333:role/ops"]});
            stage.aws("rolesanywhere", "CreateProfile", request, json!({"profile": {"name": "malicious-profile"}}));
        },
    ),
    test(
        "aws.sts-federation-token",
        "A session is made from a key, and lives on when the key is deleted",
        &["T1550.001"],
        &["stratus: aws.persistence.sts-federation-token"],
        &["GetFederationToken", "GetCallerIdentity"],
        &[],
        |stage| {
            let response =
                json!({"federatedUser": {"federatedUserId": "session"}, "credentials": {"accessKeyId": "ASIAEXAMPLE"}});
            stage.aws("sts", "GetFederationToken", json!({"name": "session"}), response);
            stage.aws("sts", "GetCallerIdentity", Json::Null, Json::Null);
        },
    ),
    test(
        "aws.bedrock-invoke-model",
        "Models are called with somebody else's account",
        &["T1496.004"],
        &["stratus: aws.impact.bedrock-invoke-model"],
        &["ListFoundationModels", "InvokeModel"],
        &[parameter("count", "5", "how many calls")],
        |stage| {
            stage.aws("bedrock", "ListFoundationModels", Json::Null, Json::Null);
            for _ in 0..stage.count("count") {
                stage.aws(
                    "bedrock",
                    "InvokeModel",
                    json!({"modelId": "anthropic.claude-3-sonnet-20240229-v1:0"}),
                    Json::Null,
                );
            }
        },
    ),
];

fn secret(stage: &Stage, number: u64) -> String {
    format!("arn:aws:secretsmanager:{}:{}:secret:app-{number}", stage.text("region"), stage.caller().account)
}

fn trust(other: &str) -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": {"AWS": format!("arn:aws:iam::{other}:root")},
            "Action": "sts:AssumeRole",
        }],
    })
    .to_string()
}
