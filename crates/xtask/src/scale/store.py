"""The stores of `cargo xtask scale`: `make` a place, or `fetch` all of a run into a folder.

make s3|azure ORIGIN
fetch s3|azure ORIGIN RUN FOLDER
"""

import pathlib
import sys

PLACE = "results"
# The account of the emulator, which its documentation publishes.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


class S3:
    def __init__(self, origin):
        import boto3

        self.client = boto3.client("s3", endpoint_url=origin)

    def make(self):
        self.client.create_bucket(Bucket=PLACE)

    def names(self, prefix):
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=PLACE, Prefix=prefix)
        return [one["Key"] for page in pages for one in page.get("Contents", [])]

    def read(self, name):
        return self.client.get_object(Bucket=PLACE, Key=name)["Body"].read()


class Azure:
    def __init__(self, origin):
        from azure.storage.blob import BlobServiceClient

        credential = {"account_name": ACCOUNT, "account_key": KEY}
        service = BlobServiceClient(f"{origin}/{ACCOUNT}", credential=credential)
        self.container = service.get_container_client(PLACE)

    def make(self):
        self.container.create_container()

    def names(self, prefix):
        return [blob.name for blob in self.container.list_blobs(name_starts_with=prefix)]

    def read(self, name):
        return self.container.download_blob(name).readall()


action, kind, origin = sys.argv[1:4]
store = {"s3": S3, "azure": Azure}[kind](origin)
if action == "make":
    store.make()
else:
    run, folder = sys.argv[4:6]
    for name in store.names(f"{run}/"):
        path = pathlib.Path(folder, name.removeprefix(f"{run}/"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(store.read(name))
