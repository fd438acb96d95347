//! Who works at the company, and from where. All names, ids and addresses are invented; addresses are from the blocks
//! reserved for documentation.

use serde_json::{Value as Json, json};

pub const TENANT: &str = "7d0c2b1a-4f57-4c43-9e0e-3a5a6f0d9b10";
pub const SUBSCRIPTION: &str = "3b6f1f7e-9b1d-4a35-8f0c-52d1c0a7e001";
pub const AWS_ACCOUNT: &str = "004512345678";
pub const GCP_PROJECT: &str = "harbor-analytics-prod";
/// Clients of AWS and of Google Cloud.
pub const USER_AGENT: &str = "aws-cli/2.17.4 md/prompt#off";
pub const GCLOUD: &str = "google-cloud-sdk gcloud/502.0.0";
pub const DOMAIN: &str = "harborline.example";

#[derive(Debug, Clone, Copy)]
pub struct Person {
    pub name: &'static str,
    pub display: &'static str,
    pub title: &'static str,
    pub object_id: &'static str,
    pub address: &'static str,
}

impl Person {
    pub fn upn(&self) -> String {
        format!("{}@{DOMAIN}", self.name)
    }

    pub fn aws_arn(&self) -> String {
        format!("arn:aws:iam::{AWS_ACCOUNT}:user/{}", self.name)
    }
}

pub const AMARA: Person = person(
    "amara.okafor",
    "Amara Okafor",
    "Platform Engineer",
    "5f0e6f5e-1c1b-4a5b-9a55-0d2f3c4b5a01",
    "198.51.100.11",
);
pub const JONAS: Person = person(
    "jonas.lind",
    "Jonas Lind",
    "Site Reliability Engineer",
    "5f0e6f5e-1c1b-4a5b-9a55-0d2f3c4b5a02",
    "198.51.100.12",
);
pub const MEI: Person =
    person("mei.tanaka", "Mei Tanaka", "Data Engineer", "5f0e6f5e-1c1b-4a5b-9a55-0d2f3c4b5a03", "198.51.100.13");
pub const ROSA: Person =
    person("rosa.silva", "Rosa Silva", "Cloud Architect", "5f0e6f5e-1c1b-4a5b-9a55-0d2f3c4b5a04", "198.51.100.14");
pub const TOMAS: Person =
    person("tomas.novak", "Tomas Novak", "Finance Analyst", "5f0e6f5e-1c1b-4a5b-9a55-0d2f3c4b5a05", "198.51.100.15");
pub const LEILA: Person =
    person("leila.haddad", "Leila Haddad", "Security Analyst", "5f0e6f5e-1c1b-4a5b-9a55-0d2f3c4b5a06", "198.51.100.16");
pub const OWEN: Person =
    person("owen.price", "Owen Price", "Help Desk", "5f0e6f5e-1c1b-4a5b-9a55-0d2f3c4b5a07", "198.51.100.17");
pub const NADIA: Person = person(
    "nadia.popescu",
    "Nadia Popescu",
    "Network Engineer",
    "5f0e6f5e-1c1b-4a5b-9a55-0d2f3c4b5a08",
    "198.51.100.18",
);

pub const PEOPLE: [Person; 8] = [AMARA, JONAS, MEI, ROSA, TOMAS, LEILA, OWEN, NADIA];

const fn person(
    name: &'static str,
    display: &'static str,
    title: &'static str,
    object_id: &'static str,
    address: &'static str,
) -> Person {
    Person { name, display, title, object_id, address }
}

/// The people as Microsoft Graph lists users.
pub fn graph_users() -> Vec<Json> {
    PEOPLE
        .iter()
        .map(|person| {
            json!({
                "id": person.object_id,
                "userPrincipalName": person.upn(),
                "displayName": person.display,
                "givenName": person.display.split(' ').next(),
                "surname": person.display.split(' ').next_back(),
                "jobTitle": person.title,
                "mail": person.upn(),
                "accountEnabled": true,
                "userType": "Member",
                "department": "Operations",
                "country": "Sweden",
            })
        })
        .collect()
}
